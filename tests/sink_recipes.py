"""How the rows of the packages of the `sinks` extra are called: recipes, and generic calls for the packages built on NumPy and for metrics.

Here: calls, each with a scalar or a vector that may be live. Not here: how the objects are made (sink_packages), what is expected (sink_outcomes).
"""

from __future__ import annotations

import contextlib
import functools
import logging
import unittest.mock
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from sink_calls import INDEX, A, Call, World, generic
from sink_packages import LABELS, console, module, neptune, recorded, shown

GRID = np.array([0.2, 0.3, 0.5])
GRID.setflags(write=False)
KEPT: list[Any] = []
"""Objects that a call was made on, for as long as its graph is looked for."""


def keep(made: Any) -> Any:
    """The object, which outlives the call."""
    KEPT.append(made)
    return made


def key(name: str, *before: Any) -> list[Call]:
    """A method that takes these arguments and then the value: a scalar, and a vector."""
    return [lambda o, w: getattr(o, name)(*before, w.s), lambda o, w: getattr(o, name)(*before, w.v)]


def inside(name: str, *after: Any) -> list[Call]:
    """A method that takes a dict of values."""
    return [lambda o, w: getattr(o, name)({"loss": w.s}, *after), lambda o, w: getattr(o, name)({"loss": w.v}, *after)]


def item(name: str = "loss") -> list[Call]:
    return [lambda o, w: o.__setitem__(name, w.s), lambda o, w: o.__setitem__(name, w.v)]


def fatal(owner: Any, w: World) -> None:
    """The last word of a program: it is not let die."""
    with unittest.mock.patch("os.abort"):
        owner.fatal("loss %s", w.s)


VECTORS = {
    "y": "Bar Box Scatter Scattergl Violin add_bar add_box add_scatter add_violin",
    "x": "Histogram Histogram2d Mesh3d Cone add_histogram",
    "z": "Scatter3d add_scatter3d",
    "value": "Isosurface Volume",
    "values": "Pie add_pie",
    "r": "Scatterpolar",
}
MATRICES = "Contour Heatmap Image Surface add_contour add_heatmap add_surface"


def drawn() -> dict[str, list[Call]]:
    """Traces of plotly: each takes its data by name."""
    found: dict[str, list[Call]] = {}
    for keyword, names in VECTORS.items():
        for name in names.split():
            found[name] = [lambda o, w, name=name, keyword=keyword: getattr(o, name)(**{keyword: w.v})]  # type: ignore[misc]
    for name in MATRICES.split():
        found[name] = [lambda o, w, name=name: getattr(o, name)(z=w.m)]  # type: ignore[misc]
    return {f"plotly.graph_objects{'.Figure' * name.startswith('add_')}.{name}": calls for name, calls in found.items()}


RECIPES: dict[str, list[Call]] = {
    "absl.logging.log": key("log", 0, "loss %s"),
    "absl.logging.vlog": key("vlog", 0, "loss %s"),
    "absl.logging.log_if": [lambda o, w: o.log_if(0, "loss %s", True, w.s)],
    "absl.logging.log_first_n": [lambda o, w: o.log_first_n(0, "loss %s", 99, w.s)],
    "absl.logging.log_every_n": [lambda o, w: o.log_every_n(0, "loss %s", 1, w.s)],
    "absl.logging.fatal": [lambda o, w: fatal(o, w)],
    **{f"accelerate.Accelerator.{name}": key(name) for name in ("gather", "gather_for_metrics", "pad_across_processes", "reduce")},
    "accelerate.Accelerator.log": inside("log"),
    "aim.Distribution": [lambda o, w: o.Distribution(w.v)],
    "aim.Image": [lambda o, w: o.Image(w.m[None])],
    "aim.Run.track": [lambda o, w: o.track(w.s, name="loss")],
    "clearml.Logger.report_scalar": [lambda o, w: o.report_scalar("t", "s", w.s, 0)],
    "clearml.Logger.report_single_value": key("report_single_value", "loss"),
    "clearml.Logger.report_histogram": [lambda o, w: o.report_histogram("t", "s", w.v, 0)],
    "clearml.Logger.report_vector": [lambda o, w: o.report_vector("t", "s", w.v, 0)],
    "comet_ml.Experiment.log_metric": key("log_metric", "loss"),
    "comet_ml.Experiment.log_other": key("log_other", "loss"),
    "comet_ml.Experiment.log_parameter": key("log_parameter", "loss")[:1],
    "comet_ml.Experiment.log_metrics": inside("log_metrics"),
    "comet_ml.Experiment.log_others": inside("log_others"),
    "comet_ml.Experiment.log_image": [lambda o, w: o.log_image(w.m)],
    "comet_ml.Experiment.log_histogram_3d": [lambda o, w: o.log_histogram_3d(w.v)],
    "dvclive.Live.log_image": [lambda o, w: o.log_image("i.png", w.m)],
    "dvclive.Live.log_metric": key("log_metric", "loss"),
    "dvclive.Live.log_param": key("log_param", "loss"),
    "h5py.AttributeManager.create": key("create", "loss"),
    "h5py.AttributeManager.__setitem__": item(),
    "h5py.Dataset.__setitem__": [lambda o, w: o.__setitem__(0, w.s), lambda o, w: o.__setitem__(slice(None), w.v)],
    "h5py.Group.__setitem__": [lambda o, w: (o.pop("loss", None), o.__setitem__("loss", w.v))],
    "h5py.Group.create_dataset": [lambda o, w: (o.pop("loss", None), o.create_dataset("loss", data=w.v))],
    **drawn(),
    **{f"imageio{v}.{name}": [lambda o, w, name=name: getattr(o, name)("a.tiff", w.m)] for v in ("", ".v2", ".v3") for name in ("imwrite", "imsave")},  # type: ignore[misc]
    **{f"imageio{v}.{name}": [lambda o, w, name=name: getattr(o, name)("a.tiff", [w.m, w.m])] for v in ("", ".v2") for name in ("mimwrite", "mimsave")},  # type: ignore[misc]
    "joblib.dump": [lambda o, w: o.dump(w.s.detach() if isinstance(w.s, torch.Tensor) and not w.s.is_leaf else w.s, "a.joblib")],
    "lightning.fabric.Fabric.log": key("log", "loss")[:1],
    "lightning.fabric.Fabric.log_dict": inside("log_dict")[:1],
    "loguru.Logger.log": key("log", "INFO"),
    "mlflow.log_metric": key("log_metric", "loss")[:1],
    "mlflow.log_param": [lambda o, w: (o.log_param(f"p{id(w)}", w.s), recorded())[0]],
    "mlflow.set_tag": [lambda o, w: (o.set_tag("loss", w.s), recorded())],
    "mlflow.log_metrics": inside("log_metrics")[:1],
    "mlflow.log_params": [lambda o, w: (o.log_params({f"q{id(w)}": w.s}), recorded())],
    "mlflow.set_tags": [lambda o, w: (o.set_tags({"loss": w.s}), recorded())],
    "mlflow.log_dict": [lambda o, w: (o.log_dict({"loss": w.s}, "a.json"), shown(o.artifacts.load_text(f"{o.get_artifact_uri()}/a.json")))],
    "mlflow.log_text": [lambda o, w: o.log_text(w.s, "a.txt")],
    "mlflow.log_image": [lambda o, w: o.log_image(w.m, "a.png")],
    "mlflow.MlflowClient.log_metric": key("log_metric", "loss")[:1],
    "mlflow.MlflowClient.log_param": [lambda o, w: (o.log_param(f"r{id(w)}", w.s), recorded())],
    "mlflow.MlflowClient.set_tag": [lambda o, w: (o.set_tag("loss", w.s), recorded())],
    "neptune.Run.__setitem__": [lambda o, w: o.__setitem__(f"loss{id(w)}", w.s)],
    "neptune.handler.Handler.__setitem__": [lambda o, w: neptune()["space"].__setitem__(f"loss{id(w)}", w.s)],
    "neptune.handler.Handler.append": [lambda o, w: o.append(w.s)],
    "neptune.handler.Handler.assign": [lambda o, w: neptune()[f"f{id(w)}"].assign(w.s)],
    "neptune.handler.Handler.extend": [lambda o, w: o.extend([w.s])],
    "neptune.handler.Handler.log": [lambda o, w: o.log(w.s)],
    "pytorch_lightning.LightningModule.log": key("log", "loss")[:1],
    "pytorch_lightning.LightningModule.log_dict": inside("log_dict")[:1],
    "pytorch_lightning.loggers.Logger.log_metrics": inside("log_metrics")[:1],
    "rich.pretty.pprint": [lambda o, w: o.pprint(w.s, console=console())],
    "rich.progress.Progress.update": [lambda o, w: (o.update(o.task, loss=w.s), o.update(o.task, loss=0))],
    "rich.progress.Progress.add_task": [lambda o, w: o.remove_task(o.add_task("t", loss=w.s))],
    "scipy.integrate.quad": [lambda o, w: o.quad(lambda x: x, 0.0, w.s)],
    "scipy.integrate.odeint": [lambda o, w: o.odeint(lambda y, t: 0 * y, w.v, GRID)],
    "scipy.integrate.solve_ivp": [lambda o, w: o.solve_ivp(lambda t, y: 0 * y, (0, 1), w.v)],
    "scipy.interpolate.RBFInterpolator": [lambda o, w: o.RBFInterpolator(np.array([[0, 0], [0, 1], [1, 0]]), w.v)],
    "scipy.interpolate.RegularGridInterpolator": [lambda o, w: o.RegularGridInterpolator((GRID,), w.v)],
    "scipy.interpolate.UnivariateSpline": [lambda o, w: o.UnivariateSpline(GRID, w.v, k=1)],
    "scipy.interpolate.interpn": [lambda o, w: o.interpn((GRID,), w.v, [0.3])],
    "scipy.interpolate.make_interp_spline": [lambda o, w: o.make_interp_spline(GRID, w.v, k=1)],
    "scipy.interpolate.splprep": [lambda o, w: o.splprep([GRID, w.v], k=1)],
    "scipy.interpolate.splrep": [lambda o, w: o.splrep(GRID, w.v, k=1)],
    "scipy.io.mmwrite": [lambda o, w: o.mmwrite("a.mtx", w.m)],
    "scipy.io.savemat": [lambda o, w: o.savemat("a.mat", {"loss": w.v})],
    "scipy.ndimage.affine_transform": [lambda o, w: o.affine_transform(w.m, np.eye(2))],
    "scipy.ndimage.generic_filter": [lambda o, w: o.generic_filter(w.m, np.mean, 2)],
    "scipy.ndimage.histogram": [lambda o, w: o.histogram(w.m, 0, 1, 2)],
    "scipy.ndimage.map_coordinates": [lambda o, w: o.map_coordinates(w.m, np.array([[0], [1]]))],
    "scipy.ndimage.percentile_filter": [lambda o, w: o.percentile_filter(w.m, 50, 2)],
    "scipy.ndimage.rank_filter": [lambda o, w: o.rank_filter(w.m, 0, 2)],
    **{f"scipy.optimize.{name}": [lambda o, w, name=name: getattr(o, name)(lambda x: (x**2).sum(), w.v)] for name in ("fmin", "minimize")},  # type: ignore[misc]
    "scipy.optimize.fmin_l_bfgs_b": [lambda o, w: o.fmin_l_bfgs_b(lambda x: (x**2).sum(), w.v, approx_grad=True)],
    "scipy.optimize.curve_fit": [lambda o, w: o.curve_fit(lambda x, a: a * x, GRID, w.v)],
    **{f"scipy.optimize.{name}": [lambda o, w, name=name: getattr(o, name)(lambda x: x - 1, w.v)] for name in ("fsolve", "least_squares", "root")},  # type: ignore[misc]
    "scipy.signal.decimate": [lambda o, w: o.decimate(np.resize(GRID, 40) if isinstance(w.v, np.ndarray) else w.v.repeat(14), 2)],
    "scipy.signal.resample_poly": [lambda o, w: o.resample_poly(w.v, 2, 1)],
    "scipy.signal.savgol_filter": [lambda o, w: o.savgol_filter(w.v, 3, 1)],
    "scipy.signal.sosfilt": [lambda o, w: o.sosfilt(np.array([[1.0, 0, 0, 1, 0, 0]]), w.v)],
    **{
        f"scipy.sparse.{name}": [lambda o, w, name=name: getattr(o, name)(w.m)]  # type: ignore[misc]
        for name in ("csc_array", "csc_matrix", "csr_array", "csr_matrix")
    },
    **{f"scipy.spatial.{name}": [lambda o, w, name=name: getattr(o, name)(w.m[:, :2])] for name in ("ConvexHull", "Delaunay")},  # type: ignore[misc]
    "scipy.spatial.distance.mahalanobis": [lambda o, w: o.mahalanobis(w.v, GRID, np.eye(3))],
    "scipy.spatial.transform.Rotation.from_euler": [lambda o, w: o.from_euler("xyz", w.v)],
    "scipy.spatial.transform.Rotation.from_quat": [lambda o, w: o.from_quat(w.m.ravel()[:4])],
    "scipy.stats.binned_statistic_2d": [lambda o, w: o.binned_statistic_2d(GRID, GRID, w.v, bins=2)],
    "scipy.stats.trim_mean": [lambda o, w: o.trim_mean(w.v, 0.1)],
    "scipy.spatial.KDTree.query": [lambda o, w: o.query(w.v)],
    "scipy.spatial.KDTree.query_ball_point": [lambda o, w: o.query_ball_point(w.v, 1.0)],
    "sacred.run.Run.log_scalar": [lambda o, w: keep(o).log_scalar("loss", w.s)],
    "skimage.io.imsave": [lambda o, w: o.imsave("a.tiff", w.m)],
    "skimage.segmentation.slic": [lambda o, w: o.slic(w.m, n_segments=2, channel_axis=None)],
    "skimage.transform.resize": [lambda o, w: o.resize(w.m, (2, 2))],
    "structlog.BoundLogger.log": key("log", logging.INFO),
    # Its thread holds the newest until the next one comes; a vector is refused, with a report that keeps it.
    "swanlab.log": [lambda o, w: (o.log({"loss": w.s}), o.log({"loss": 0.5}))],
    "swanlab.Run.log": [lambda o, w: (o.log({"loss": w.s}), o.log({"loss": 0.5}))],
    "swanlab.Image": [lambda o, w: o.Image(w.m)],
    "tabulate.tabulate": [lambda o, w: o.tabulate([[w.s]])],
    "torchvision.utils.draw_bounding_boxes": [
        lambda o, w: o.draw_bounding_boxes(torch.zeros(3, 8, 8), torch.stack([w.v[0], w.v[0], w.v[1] + 3, w.v[1] + 3])[None])
    ],
    "torchvision.utils.flow_to_image": [lambda o, w: o.flow_to_image(torch.stack([w.m, w.m]))],
    "torchvision.utils.save_image": [lambda o, w: o.save_image(w.m[None], "a.png")],
    "torchvision.utils.make_grid": [lambda o, w: o.make_grid(w.m[None, None])],
    "torchvision.transforms.functional.to_pil_image": [lambda o, w: o.to_pil_image(w.m[None])],
    "trackio.log": inside("log"),
    "transformers.Trainer.log": [lambda o, w: keep(o).log({"loss": w.s})],
    "xarray.Dataset": [lambda o, w: o.Dataset({"loss": ("x", w.v)})],
    "visdom.Visdom.line": [lambda o, w: o.line(w.v)],
    "wandb.Config.__setitem__": [lambda o, w: o.__setitem__(f"loss{id(w)}", w.s)],
    "wandb.Config.update": [lambda o, w: o.update({"loss": w.s}, allow_val_change=True)],
    "wandb.Summary.__setitem__": item(),
    "wandb.Summary.update": inside("update"),
    "wandb.log": inside("log"),
    "wandb.Run.log": inside("log"),
    "wandb.Image": [lambda o, w: o.Image(w.m[None])],
    "wandb.Table": [lambda o, w: keep(o.Table(columns=["loss"], data=[[w.s]]))],
    "wandb.Table.add_data": [lambda o, w: keep(o).add_data(w.s)],
    "wandb.plot.confusion_matrix": [lambda o, w: o.confusion_matrix(probs=w.m, y_true=[0, 1, 2])],
    "wandb.plot.pr_curve": [lambda o, w: o.pr_curve([0, 1, 2], w.m)],
    "wandb.plot.roc_curve": [lambda o, w: o.roc_curve([0, 1, 2], w.m)],
}
def metrics(owner: str) -> Iterator[Callable[[], Any]]:
    """How a metric class may be made."""
    head, _, last = owner.rpartition(".")
    for place in ("", ".classification", ".audio", ".image", ".regression", ".clustering", ".retrieval", ".aggregation", ".wrappers", ".nominal", ".shape"):
        try:
            cls = getattr(module(head + place), last)
        except (AttributeError, ImportError):
            continue
        for keywords in ({}, {"task": "binary"}, {"num_classes": 3}, {"fs": 8}, {"window": 3}, {"p": 2}, {"compute_fn": len}, {"loss_fn": lambda x, y: x.sum()},
                         {"op": lambda a, x: a + x}, {"data_range": 1.0}):  # fmt: skip
            with contextlib.suppress(TypeError, ValueError):
                cls(**keywords)
                yield functools.partial(cls, **keywords)
        return


def updates(name: str) -> list[Call]:
    """How a metric may be given a batch."""
    target = torch.tensor([0, 1, 1])
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))

    def picture(w: World) -> Any:
        return image * w.s

    given: list[Callable[[World], tuple[Any, ...]]] = [
        lambda w: (w.v, target),
        lambda w: (w.v,),
        lambda w: (w.v, torch.tensor([0.2, 0.5, 0.4])),
        lambda w: (w.m / w.m.sum(1, keepdim=True), torch.tensor([0, 1, 2])),
        lambda w: (w.m, w.m.detach()),
        lambda w: (w.v, target, torch.zeros(3, dtype=torch.long)),
        lambda w: (picture(w), image),
        lambda w: (picture(w),),
        lambda w: (w.m, target),
        lambda w: ((w.v, target),),
        lambda w: ((w.m, torch.tensor([0, 1, 2])),),
        lambda w: ((picture(w), image),),
        lambda w: (w.s,),
    ]
    def call(metric: Any, w: World, make: Callable[[World], tuple[Any, ...]]) -> object:
        if name == "update":
            return keep(metric).update(*make(w))
        found = getattr(metric, name)(*make(w))
        getattr(metric, name)(*make(World(*(value.detach() for value in w))))  # the newest result is cached until the next
        return found

    return [functools.partial(call, make=make) for make in given]


SHAPES: list[Callable[[World], tuple[Any, ...]]] = [
    lambda w: (w.v, w.v),
    lambda w: (2, w.v),
    lambda w: (w.v, 2),
    lambda w: (w.m, w.m),
    lambda w: (w.m, w.v),
    lambda w: (w.m, LABELS),
    lambda w: (LABELS, w.v),
    lambda w: (LABELS, w.m),
    lambda w: (LABELS, w.v * 0 + 1),
    lambda w: (w.v, A, A),
    lambda w: (A, A, w.v),
    lambda w: (A, w.v, 0.5),
    lambda w: (1, 1, w.v),
    lambda w: (w.v, w.v, 1, 1),
    lambda w: (w.m, 1),
    lambda w: (w.m, INDEX),
    lambda w: ([w.v, w.v + 1],),
    lambda w: (w.m[0], w.m[1]),
    lambda w: (w.v, w.v, w.v, 3),
]


def wide(name: str) -> list[Call]:
    """More calls than `generic` tries, for the packages built on NumPy."""
    return generic(name)[0] + [lambda o, w, given=given: getattr(o, name)(*given(w)) for given in SHAPES]
