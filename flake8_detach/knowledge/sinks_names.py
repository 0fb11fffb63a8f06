"""How sinks are spelled and reached: aliases, what a call returns, objects of modules, and receivers whose mere name means something.

Here: names only. Not here: what a sink does with a tensor (the other `sinks_*` tables). A habit may answer only where nothing in the file
says what the receiver is, and only for the methods that are listed with it.
Sources: the packages as measured for the tables, and their documentation.
"""

from __future__ import annotations

from typing import Final

AXES: Final = "matplotlib.axes.Axes"
FIGURE: Final = "matplotlib.figure.Figure"
FIGURE_AND_AXES: Final = f"{FIGURE}, {AXES}"
SUMMARY_WRITER: Final = "torch.utils.tensorboard.SummaryWriter"
LOGGER: Final = "logging.Logger"
_MODULE: Final = "pytorch_lightning.LightningModule"
_LIGHTNING_LOGGER: Final = "pytorch_lightning.loggers.Logger"


def _to(canonical: str, spellings: str) -> dict[str, str]:
    return dict.fromkeys(spellings.split(), canonical)


ALIASES: Final[dict[str, str]] = {
    **_to("torch.utils.tensorboard", "tensorboardX torch.utils.tensorboard.writer"),
    **_to("tqdm", "tqdm.asyncio tqdm.auto tqdm.autonotebook tqdm.gui tqdm.notebook tqdm.rich tqdm.std"),
    **_to("tqdm.tqdm", "tqdm.tqdm_notebook"),
    **_to("tqdm.trange", "tqdm.tnrange tqdm.tnotebook_range"),
    **_to("pytorch_lightning", "lightning.pytorch"),
    **_to(_MODULE, "lightning.LightningModule pytorch_lightning.core.LightningModule pytorch_lightning.core.lightning.LightningModule"),
    **_to(_MODULE, "pytorch_lightning.core.module.LightningModule"),
    **{
        f"pytorch_lightning.loggers.{name}": _LIGHTNING_LOGGER
        for name in "CSVLogger CometLogger MLFlowLogger NeptuneLogger TensorBoardLogger WandbLogger".split()
    },
    **_to("pytorch_lightning.utilities.rank_zero.rank_zero_info", "pytorch_lightning.utilities.rank_zero_info"),
    **_to("lightning.fabric", "lightning_fabric"),
    **_to("lightning.fabric.Fabric", "lightning.Fabric"),
    **_to("matplotlib.pyplot", "matplotlib.pylab pylab"),
    **_to("mpl_toolkits.mplot3d.Axes3D", "mpl_toolkits.mplot3d.axes3d.Axes3D"),
    **_to("matplotlib.lines.Line2D", "matplotlib.pyplot.Line2D"),
    **_to(FIGURE, "matplotlib.pyplot.Figure"),
    **_to(AXES, "matplotlib.pyplot.Axes matplotlib.axes._axes.Axes matplotlib.projections.polar.PolarAxes"),
    **_to(LOGGER, "logging.LoggerAdapter logging.RootLogger absl.logging.ABSLLogger accelerate.logging.MultiProcessAdapter"),
    **_to("loguru.Logger", "loguru._logger.Logger"),
    **_to("wandb.Run", "wandb.sdk.wandb_run.Run wandb.wandb_run.Run"),
    **_to("wandb.Summary", "wandb.sdk.wandb_summary.Summary"),
    **_to("wandb.Config", "wandb.sdk.wandb_config.Config"),
    **_to("wandb", "wandb.data_types"),
    **_to("mlflow", "mlflow.client mlflow.tracking"),
    **_to("comet_ml.Experiment", "comet_ml.CometExperiment comet_ml.ExistingExperiment comet_ml.OfflineExperiment"),
    **_to("neptune", "neptune.new"),
    **_to("neptune.Run", "neptune.metadata_containers.Run"),
    **_to("neptune.handler", "neptune.handlers"),
    **_to("aim.Run", "aim.sdk.run.Run"),
    **_to("swanlab.Run", "swanlab.SwanLabRun"),
    **_to("accelerate.Accelerator", "accelerate.accelerator.Accelerator"),
    **_to("transformers.Trainer", "transformers.Seq2SeqTrainer transformers.trainer.Trainer"),
    **_to("torchmetrics", "torchmetrics.aggregation torchmetrics.audio torchmetrics.classification torchmetrics.clustering"),
    **_to("torchmetrics", "torchmetrics.image torchmetrics.regression torchmetrics.retrieval"),
    **_to("numpy.random", "numpy.random.mtrand"),
    **_to("plotly.graph_objects", "plotly.graph_objs"),
    **_to("h5py.Group", "h5py.File"),
    **_to("scipy.spatial.KDTree", "scipy.spatial.cKDTree"),
    **_to("io.TextIOBase", "io.StringIO io.TextIOWrapper typing.TextIO"),
}
"""A spelling, of a name or of a leading part of it, to the one the tables use; a subclass with the same sinks counts as a spelling."""

OBJECTS: Final[dict[str, str]] = {
    "loguru.logger": "loguru.Logger",
    "logging.root": LOGGER,
    "wandb.run": "wandb.Run",
    "wandb.summary": "wandb.Summary",
    "wandb.config": "wandb.Config",
    "wandb.run.summary": "wandb.Summary",
    "wandb.run.config": "wandb.Config",
    "wandb.Run.summary": "wandb.Summary",
    "wandb.Run.config": "wandb.Config",
    "pytorch_lightning.LightningModule.logger": _LIGHTNING_LOGGER,
    "rich.progress.Progress.console": "rich.console.Console",
    "h5py.Group.attrs": "h5py.AttributeManager",
    "h5py.Dataset.attrs": "h5py.AttributeManager",
    "sys.stdout": "io.TextIOBase",
    "sys.stderr": "io.TextIOBase",
}
"""Objects reached by attribute: of a module, or of an instance of a class."""

RETURNS: Final[dict[str, str]] = {
    "tqdm.trange": "tqdm.tqdm",
    "open": "io.TextIOBase",
    **_to(LOGGER, "logging.getLogger logging.Logger.getChild absl.logging.get_absl_logger accelerate.logging.get_logger"),
    **_to(LOGGER, "transformers.logging.get_logger transformers.utils.logging.get_logger datasets.logging.get_logger"),
    **_to(LOGGER, "ignite.utils.setup_logger detectron2.utils.logger.setup_logger mmcv.utils.get_logger"),
    **_to("loguru.Logger", "loguru.Logger.bind loguru.Logger.opt loguru.Logger.patch"),
    **_to("structlog.BoundLogger", "structlog.get_logger structlog.getLogger structlog.BoundLogger.bind structlog.BoundLogger.new"),
    "wandb.init": "wandb.Run",
    "comet_ml.start": "comet_ml.Experiment",
    **_to("neptune.Run", "neptune.init neptune.init_run"),
    **_to("neptune.handler.Handler", "neptune.Run.__getitem__ neptune.handler.Handler.__getitem__"),
    "clearml.Task.init": "clearml.Task",
    **_to("clearml.Logger", "clearml.Task.get_logger clearml.Logger.current_logger"),
    "swanlab.init": "swanlab.Run",
    "matplotlib.pyplot.subplots": FIGURE_AND_AXES,
    **_to(FIGURE, "matplotlib.pyplot.figure matplotlib.pyplot.gcf"),
    **_to(AXES, "matplotlib.pyplot.axes matplotlib.pyplot.gca matplotlib.pyplot.subplot matplotlib.pyplot.subplot2grid"),
    **_to(AXES, "matplotlib.pyplot.twinx matplotlib.pyplot.twiny"),
    **{f"{FIGURE}.{name}": AXES for name in "add_axes add_subplot gca subplots".split()},
    **{f"{AXES}.{name}": AXES for name in "__getitem__ flatten ravel reshape twinx twiny".split()},
    **_to("matplotlib.image.AxesImage", f"{AXES}.imshow matplotlib.pyplot.imshow"),
    **_to("matplotlib.collections.PathCollection", f"{AXES}.scatter matplotlib.pyplot.scatter"),
    "numpy.random.default_rng": "numpy.random.Generator",
    "h5py.Group.__getitem__": "h5py.Dataset",
    "h5py.Group.create_dataset": "h5py.Dataset",
    **_to("h5py.Group", "h5py.Group.create_group h5py.Group.require_group"),
}
"""What a call gives: the class of an instance, or classes joined by ", " for a tuple. An array of Axes counts as an Axes."""

HABITS: Final[dict[str, frozenset[str]]] = {
    LOGGER: frozenset("critical debug error exception info warn warning".split()),
    SUMMARY_WRITER: frozenset(
        "add_audio add_embedding add_histogram add_hparams add_image add_images add_mesh add_pr_curve add_scalar add_scalars add_text"
        " add_video".split()
    ),
    "tqdm.tqdm": frozenset("set_description set_description_str set_postfix set_postfix_str write".split()),
    AXES: frozenset(
        "axhline axvline bar barh boxplot contour contourf errorbar fill_between hist hist2d hlines imshow loglog matshow pcolormesh pie"
        " plot quiver scatter semilogx semilogy set_title set_xlim set_ylim stem step text violinplot vlines".split()
    ),
    "matplotlib.pyplot": frozenset(
        "axhline axvline bar barh boxplot contour contourf errorbar fill_between hist hist2d imsave imshow loglog matshow pcolormesh pie"
        " plot quiver scatter semilogx semilogy stem step text title violinplot xlim ylim".split()
    ),
    "wandb": frozenset("Histogram Image log".split()),
    "visdom.Visdom": frozenset("bar heatmap histogram image images line scatter".split()),
    "comet_ml.Experiment": frozenset("log_metric log_metrics".split()),
}
"""The methods for which a receiver's mere name may vouch."""

RECEIVER_IDIOMS: Final[dict[str, str]] = {
    **_to(LOGGER, "LOG LOGGER Log Logger _LOGGER _log _logger log logger logging"),
    **_to(SUMMARY_WRITER, "_writer sw tb tb_logger tb_writer tensorboard tensorboard_writer summary_writer writer"),
    **_to(SUMMARY_WRITER, "eval_writer test_writer train_writer val_writer valid_writer"),
    **_to("tqdm.tqdm", "pbar prog_bar progress_bar progressbar tbar tepoch tqdm_bar tqdm_loader train_bar"),
    **_to(AXES, "ax ax1 ax2 ax3 axarr axes axs"),
    "plt": "matplotlib.pyplot",
    "wandb": "wandb",
    **_to("visdom.Visdom", "vis visdom viz"),
    "experiment": "comet_ml.Experiment",
}
"""A receiver's last name to the class it is by habit: `writer` and `self.writer` are one name."""

DISTINCTIVE: Final[dict[str, str]] = {
    **_to(SUMMARY_WRITER, "add_embedding add_histogram add_pr_curve add_scalar add_scalars"),
    **_to("tqdm.tqdm", "set_description_str set_postfix set_postfix_str"),
    **_to("csv.writer", "writerow writerows"),
    "report_scalar": "clearml.Logger",
}
"""Method names that one family of classes has alone, so that they answer for any receiver."""
