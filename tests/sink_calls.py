"""How the sinks of the tables are called, one by one, so that a test can see what each does with a tensor.

Here: the packages of the `test` extra whose rows are measured, and calls of every one of their rows: generic ones, and recipes where a
call needs particular arguments. Not here: what is expected of a call (`test_sinks`).
"""

from __future__ import annotations

import array
import builtins
import cmath
import copy
import csv
import datetime
import decimal
import fractions
import io
import json
import logging
import math
import pickle
import pprint
import random
import statistics
import struct
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib
import matplotlib.cm
import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import tqdm
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.tensorboard import SummaryWriter

matplotlib.use("Agg")


class World(NamedTuple):
    """The same three values as live tensors, as tensors without history, or as NumPy has them."""

    s: Any
    v: Any
    m: Any


Call = Callable[[Any, World], object]

A = np.array([0.2, 0.3, 0.5])
B = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0], [7.0, 8.0, 10.0]])
INDEX = np.array([0, 1, 2])
WRITERS: list[SummaryWriter] = []
TRIANGLE = ([0, 1, 0], [0, 0, 1])


def axes() -> Any:
    """One Axes for a test: to make one costs more than a call."""
    return plt.gca()


def line() -> Any:
    """On a figure of its own, which will be drawn."""
    return plt.figure().add_subplot().plot(A)[0]


def bar() -> Any:
    return tqdm.tqdm(range(3), file=sys.stdout)


def writer() -> SummaryWriter:
    """Closed after the test: its thread writes to a file of the test's own directory."""
    WRITERS.append(SummaryWriter("runs"))
    return WRITERS[-1]


def plateau() -> ReduceLROnPlateau:
    return ReduceLROnPlateau(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1))


# The modules and objects that are measured, each made when the call is.
MEASURED: dict[str, Callable[[], Any]] = {
    "array": lambda: array,
    "builtins": lambda: builtins,
    "cmath": lambda: cmath,
    "copy": lambda: copy,
    "csv.DictWriter": lambda: csv.DictWriter(sys.stdout, ["loss"]),
    "csv.writer": lambda: csv.writer(sys.stdout),
    "datetime": lambda: datetime,
    "decimal": lambda: decimal,
    "fractions": lambda: fractions,
    "io.TextIOBase": io.StringIO,
    "json": lambda: json,
    "logging": lambda: logging,
    "logging.Logger": logging.getLogger,
    "math": lambda: math,
    "matplotlib.axes.Axes": axes,
    "matplotlib.cm": lambda: plt.cm,
    "matplotlib.collections.PathCollection": lambda: axes().scatter(A, A),
    "matplotlib.figure.Figure": lambda: axes().figure,
    "matplotlib.image": lambda: matplotlib.image,
    "matplotlib.image.AxesImage": lambda: axes().imshow(B),
    "matplotlib.lines.Line2D": line,
    "matplotlib.pyplot": lambda: plt,
    "mpl_toolkits.mplot3d.Axes3D": lambda: plt.figure().add_subplot(projection="3d"),
    "numpy": lambda: np,
    "numpy.fft": lambda: np.fft,
    "numpy.linalg": lambda: np.linalg,
    "numpy.ndarray": lambda: A.copy(),
    "numpy.random": lambda: np.random,
    "numpy.random.Generator": np.random.default_rng,
    "numpy.testing": lambda: np.testing,
    "pandas": lambda: pd,
    "pandas.DataFrame": lambda: pd.DataFrame,
    "pickle": lambda: pickle,
    "pprint": lambda: pprint,
    "pprint.PrettyPrinter": pprint.PrettyPrinter,
    "random": lambda: random,
    "statistics": lambda: statistics,
    "struct": lambda: struct,
    "sys.stderr": lambda: sys.stderr,
    "sys.stdout": lambda: sys.stdout,
    "time": lambda: time,
    "torch": lambda: torch,
    "torch.optim.lr_scheduler.ReduceLROnPlateau": plateau,
    "torch.utils.tensorboard.SummaryWriter": writer,
    "tqdm": lambda: tqdm,
    "tqdm.tqdm": bar,
    "warnings": lambda: warnings,
}


def called(owner: Any, name: str, *arguments: Any) -> object:
    return getattr(owner, name)(*arguments)


def written(owner: Any, name: str, *arguments: Any) -> None:
    """The text that a figure shows, where a test can see it."""
    print(getattr(owner, name)(*arguments).get_text())


def described(owner: Any, name: str, *arguments: Any) -> None:
    """A bar keeps what it could not show, and would fail once more when it dies."""
    try:
        getattr(owner, name)(*arguments)
    finally:
        owner.desc = ""


def drawn(owner: Any, name: str, *arguments: Any) -> None:
    """A line converts its data when it is drawn."""
    getattr(owner, name)(*arguments)
    owner.figure.canvas.draw()


def with_each(names: str, given: Callable[[World], tuple[Any, ...]], how: Callable[..., object] = called) -> dict[str, Call]:
    """One recipe for calls that take the same arguments."""

    def recipe(name: str) -> Call:
        return lambda owner, w: how(owner, name, *given(w))

    return {name: recipe(name) for name in names.split()}


# Calls that need particular arguments, by owner and name, or by name for all owners that have it.
RECIPES: dict[str, Call] = {
    "array.array": lambda o, w: o.array("d", w.v),
    "builtins.divmod": lambda o, w: divmod(w.s, 1),
    "builtins.isinstance": lambda o, w: isinstance(w.s, float),
    "csv.DictWriter.writerow": lambda o, w: o.writerow({"loss": w.s}),
    "csv.DictWriter.writerows": lambda o, w: o.writerows([{"loss": w.s}]),
    "csv.writer.writerow": lambda o, w: o.writerow(w.v),
    "csv.writer.writerows": lambda o, w: o.writerows(w.m),
    "datetime.timedelta": lambda o, w: o.timedelta(seconds=w.s),
    "json.dump": lambda o, w: o.dump(w.s, io.StringIO()),
    "logging.log": lambda o, w: o.log(logging.INFO, w.s),
    "logging.Logger.log": lambda o, w: o.log(logging.INFO, w.s),
    "math.acosh": lambda o, w: o.acosh(w.s + 1),
    "pickle.dump": lambda o, w: o.dump(w.s, io.BytesIO()),
    "random.choices": lambda o, w: o.choices([1, 2, 3], w.v),
    "random.gauss": lambda o, w: o.gauss(0, w.s),
    "random.uniform": lambda o, w: o.uniform(0, w.s),
    "struct.pack": lambda o, w: o.pack("d", w.s),
    "time.sleep": lambda o, w: o.sleep(w.s / 1000),
    "torch.save": lambda o, w: o.save(w.s, io.BytesIO()),
    "warnings.warn": lambda o, w: o.warn(w.s),
    # NumPy
    "apply_along_axis": lambda o, w: o.apply_along_axis(np.sum, 0, w.m),
    "argwhere": lambda o, w: o.argwhere(w.v),
    "bincount": lambda o, w: o.bincount(INDEX, w.v),
    "choose": lambda o, w: o.choose([0], [w.v]),
    "c_": lambda o, w: o.c_[w.v, w.v],
    "r_": lambda o, w: o.r_[w.v, w.v],
    "copyto": lambda o, w: o.copyto(A.copy(), w.v),
    "dsplit": lambda o, w: o.dsplit(w.m[None], 3),
    "einsum": lambda o, w: o.einsum("i->", w.v),
    "fill_diagonal": lambda o, w: o.fill_diagonal(B.copy(), w.s),
    "flip": lambda o, w: o.flip(w.v),
    "fromiter": lambda o, w: o.fromiter(w.v, float),
    "insert": lambda o, w: o.insert(A, 0, w.s),
    "itemset": lambda o, w: o.itemset(0, w.s),
    "matrix_power": lambda o, w: o.matrix_power(w.m, 2),
    "moveaxis": lambda o, w: o.moveaxis(w.m, 0, 1),
    "multi_dot": lambda o, w: o.multi_dot([w.m, w.m]),
    "multinomial": lambda o, w: o.multinomial(3, w.v),
    "multivariate_normal": lambda o, w: o.multivariate_normal(w.v, np.eye(3)),
    "noncentral_f": lambda o, w: o.noncentral_f(w.s, 1, 1),
    "numpy.astype": lambda o, w: o.astype(w.v, float),
    "numpy.place": lambda o, w: o.place(A.copy(), A > 0, w.v),
    "numpy.put": lambda o, w: o.put(A.copy(), [0], w.s),
    "numpy.ndarray.put": lambda o, w: o.put([0], w.s),
    "numpy.ndarray.__setitem__": lambda o, w: o.__setitem__(0, w.s),
    "numpy.random.choice": lambda o, w: o.choice(3, p=w.v),
    "numpy.save": lambda o, w: o.save("a.npy", w.v),
    "numpy.savetxt": lambda o, w: o.savetxt("a.txt", w.v),
    "numpy.savez": lambda o, w: o.savez("a.npz", loss=w.v),
    "numpy.savez_compressed": lambda o, w: o.savez_compressed("a.npz", loss=w.v),
    "polyfit": lambda o, w: o.polyfit(A, w.v, 1),
    "put_along_axis": lambda o, w: o.put_along_axis(A.copy(), INDEX, w.v, 0),
    "putmask": lambda o, w: o.putmask(A.copy(), A > 0, w.v),
    "rollaxis": lambda o, w: o.rollaxis(w.m, 1),
    "select": lambda o, w: o.select([A > 0], [w.v]),
    "swapaxes": lambda o, w: o.swapaxes(w.m, 0, 1),
    "take_along_axis": lambda o, w: o.take_along_axis(w.v, INDEX, 0),
    "tensorinv": lambda o, w: o.tensorinv(w.m, 1),
    "triangular": lambda o, w: o.triangular(w.s, 0.9, 1),
    "vsplit": lambda o, w: o.vsplit(w.m, 3),
    **with_each("assert_allclose assert_almost_equal assert_array_almost_equal assert_array_equal assert_equal", lambda w: (w.v, w.v)),
    # pandas
    "pandas.DataFrame.from_dict": lambda o, w: o.from_dict({"loss": [w.s]}),
    "pandas.DataFrame.from_records": lambda o, w: o.from_records([{"loss": w.s}]),
    "pandas.to_numeric": lambda o, w: o.to_numeric(w.v),
    "pandas.crosstab": lambda o, w: o.crosstab(w.v, w.v),
    "pandas.cut": lambda o, w: o.cut(w.v, 2),
    "pandas.qcut": lambda o, w: o.qcut(w.v, 2),
    # matplotlib
    "acorr": lambda o, w: o.acorr(w.v, maxlags=1),
    "annotate": lambda o, w: written(o, "annotate", w.s, (0, 0)),
    "arrow": lambda o, w: o.arrow(0, 0, w.s, w.s),
    "axis": lambda o, w: o.axis([0, w.s, 0, 1]),
    "bar3d": lambda o, w: o.bar3d(A, A, A, w.v, w.v, w.v),
    "broken_barh": lambda o, w: o.broken_barh([(0, w.s)], (0, 1)),
    "contour3D": lambda o, w: o.contour3D(w.m, w.m, w.m),
    "figtext": lambda o, w: written(o, "figtext", 0, 0, w.s),
    "imsave": lambda o, w: o.imsave("a.png", w.m),
    "matplotlib.lines.Line2D.set_data": lambda o, w: drawn(o, "set_data", A, w.v),
    **with_each("set_xdata set_ydata", lambda w: (w.v,), drawn),
    "plot_surface": lambda o, w: o.plot_surface(w.m, w.m, w.m),
    "plot_trisurf": lambda o, w: o.plot_trisurf([0, 1, 0], [0, 0, 1], w.v),
    "plot_wireframe": lambda o, w: o.plot_wireframe(w.m, w.m, w.m),
    "matplotlib.pyplot.polar": lambda o, w: o.polar(w.v, w.v),
    "set_offsets": lambda o, w: o.set_offsets(w.m[:, :2]),
    "set_zlim": lambda o, w: o.set_zlim(0, w.s),
    "streamplot": lambda o, w: o.streamplot(INDEX, INDEX, w.m, w.m),
    "text": lambda o, w: written(o, "text", 0, 0, w.s),
    "tricontourf": lambda o, w: o.tricontourf(*TRIANGLE, w.v),
    "tripcolor": lambda o, w: o.tripcolor(*TRIANGLE, w.v),
    "triplot": lambda o, w: o.triplot(TRIANGLE[0], w.v),
    "xcorr": lambda o, w: o.xcorr(w.v, w.v, maxlags=1),
    **with_each("set_title set_xlabel set_ylabel suptitle title xlabel ylabel", lambda w: (w.s,), written),
    # progress bars
    "tqdm.tqdm": lambda o, w: list(o.tqdm([1], postfix={"loss": w.s})),
    "tqdm.trange": lambda o, w: list(o.trange(1, postfix={"loss": w.s})),
    **with_each("set_description set_description_str", lambda w: (w.s,), described),
    "tqdm.tqdm.set_postfix": lambda o, w: o.set_postfix(loss=w.s),
    # TensorBoard
    "add_audio": lambda o, w: o.add_audio("a", w.v[None]),
    "add_embedding": lambda o, w: o.add_embedding(w.m),
    "add_hparams": lambda o, w: o.add_hparams({"lr": 0.1}, {"loss": w.s}),
    "add_image": lambda o, w: o.add_image("i", w.m[None]),
    "add_image_with_boxes": lambda o, w: o.add_image_with_boxes("b", torch.zeros(3, 8, 8), w.m[:1, [0, 1, 2, 2]]),
    "add_images": lambda o, w: o.add_images("i", w.m[None, None]),
    "add_mesh": lambda o, w: o.add_mesh("m", w.m[None]),
    "add_pr_curve": lambda o, w: o.add_pr_curve("p", torch.tensor([0, 1, 1]), w.v),
    "add_scalars": lambda o, w: o.add_scalars("s", {"loss": w.s}),
    "add_video": lambda o, w: o.add_video("v", w.m[None, None, None]),
    **with_each("add_histogram add_scalar add_tensor add_text", lambda w: ("loss", w.s)),
}


def generic(name: str) -> tuple[list[Call], list[Call]]:
    """Calls with a tensor as such, and calls with tensors in a list: those that make sense are told by trying them with arrays."""

    def calls(*arguments: Callable[[World], tuple[Any, ...]]) -> list[Call]:
        def call(given: Callable[[World], tuple[Any, ...]]) -> Call:
            return lambda owner, w: getattr(owner, name)(*given(w))

        return [call(given) for given in arguments]

    bare = calls(
        lambda w: (w.s,),
        lambda w: (w.v,),
        lambda w: (w.m,),
        lambda w: (w.v, A),
        lambda w: (A, w.v),
        lambda w: (w.m, B),
        lambda w: (w.v, A, A),
        lambda w: (w.v, 1),
        lambda w: (1, w.s),
        lambda w: (w.s, 1),
    )
    inside = calls(lambda w: ([w.s, w.s],), lambda w: ([w.v, w.v],), lambda w: ([w.m, w.m],), lambda w: ([w.v, w.v], A))
    return bare, inside
