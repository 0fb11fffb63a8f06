"""How sinks are spelled and reached: aliases, what a call returns, module-level objects, and names of receivers that mean something by habit.

Here: names only. Not here: what a sink does with a tensor (the other `sinks_*` tables). A habit may answer only where nothing in the file
says what the receiver is, and only for the methods listed with it.
"""

from __future__ import annotations

from typing import Final

SUMMARY_WRITER: Final = "torch.utils.tensorboard.SummaryWriter"
FIGURE_AND_AXES: Final = "matplotlib.figure.Figure, matplotlib.axes.Axes"

ALIASES: Final[dict[str, str]] = {
    "tensorboardX": "torch.utils.tensorboard",
    "torch.utils.tensorboard.writer": "torch.utils.tensorboard",
    "lightning.pytorch": "pytorch_lightning",
    "lightning.LightningModule": "pytorch_lightning.LightningModule",
    "lightning.Fabric": "lightning.fabric.Fabric",
    "lightning_fabric": "lightning.fabric",
    "pytorch_lightning.core.LightningModule": "pytorch_lightning.LightningModule",
    "pytorch_lightning.core.lightning.LightningModule": "pytorch_lightning.LightningModule",
    "pytorch_lightning.core.module.LightningModule": "pytorch_lightning.LightningModule",
    "pytorch_lightning.loggers.CSVLogger": "pytorch_lightning.loggers.Logger",
    "pytorch_lightning.loggers.CometLogger": "pytorch_lightning.loggers.Logger",
    "pytorch_lightning.loggers.MLFlowLogger": "pytorch_lightning.loggers.Logger",
    "pytorch_lightning.loggers.NeptuneLogger": "pytorch_lightning.loggers.Logger",
    "pytorch_lightning.loggers.TensorBoardLogger": "pytorch_lightning.loggers.Logger",
    "pytorch_lightning.loggers.WandbLogger": "pytorch_lightning.loggers.Logger",
    "matplotlib.pylab": "matplotlib.pyplot",
    "pylab": "matplotlib.pyplot",
    "mpl_toolkits.mplot3d.Axes3D": "matplotlib.axes.Axes",
    "mpl_toolkits.mplot3d.axes3d.Axes3D": "matplotlib.axes.Axes",
    "matplotlib.projections.polar.PolarAxes": "matplotlib.axes.Axes",
    "tqdm.auto": "tqdm",
    "tqdm.autonotebook": "tqdm",
    "tqdm.notebook": "tqdm",
    "tqdm.std": "tqdm",
    "tqdm.asyncio": "tqdm",
    "tqdm.rich": "tqdm",
    "tqdm.gui": "tqdm",
    "tqdm.tqdm_notebook": "tqdm.tqdm",
    "tqdm.tnrange": "tqdm.trange",
    "logging.LoggerAdapter": "logging.Logger",
    "logging.root": "logging.Logger",
    "absl.logging.ABSLLogger": "logging.Logger",
    "loguru._logger.Logger": "loguru.Logger",
    "wandb.sdk.wandb_run.Run": "wandb.Run",
    "wandb.wandb_run.Run": "wandb.Run",
    "wandb.sdk.wandb_summary.Summary": "wandb.Summary",
    "wandb.sdk.wandb_config.Config": "wandb.Config",
    "wandb.data_types.Table": "wandb.Table",
    "wandb.data_types.Image": "wandb.Image",
    "wandb.data_types.Histogram": "wandb.Histogram",
    "mlflow.tracking": "mlflow",
    "mlflow.client": "mlflow",
    "comet_ml.OfflineExperiment": "comet_ml.Experiment",
    "comet_ml.ExistingExperiment": "comet_ml.Experiment",
    "comet_ml.APIExperiment": "comet_ml.Experiment",
    "comet_ml.CometExperiment": "comet_ml.Experiment",
    "neptune.metadata_containers.Run": "neptune.Run",
    "neptune.new": "neptune",
    "swanlab.Run": "swanlab",
    "accelerate.accelerator.Accelerator": "accelerate.Accelerator",
    "transformers.Seq2SeqTrainer": "transformers.Trainer",
    "transformers.trainer.Trainer": "transformers.Trainer",
    "plotly.graph_objs": "plotly.graph_objects",
    "h5py.File": "h5py.Group",
    "numpy.typing.NDArray": "numpy.ndarray",
    "numpy.core.multiarray": "numpy",
    "csv.excel": "csv.writer",
    "io.TextIOWrapper": "io.TextIOBase",
    "io.StringIO": "io.TextIOBase",
    "typing.TextIO": "io.TextIOBase",
    "torchmetrics.aggregation": "torchmetrics",
    "torchmetrics.classification": "torchmetrics",
    "torchmetrics.regression": "torchmetrics",
}
"""A spelling, of a name or of a leading part of it, to the one the tables use; a subclass with the same sinks counts as a spelling."""

OBJECTS: Final[dict[str, str]] = {
    "loguru.logger": "loguru.Logger",
    "logging.root": "logging.Logger",
    "wandb.run": "wandb.Run",
    "wandb.run.summary": "wandb.Summary",
    "wandb.summary": "wandb.Summary",
    "wandb.config": "wandb.Config",
    "wandb.run.config": "wandb.Config",
    "wandb.Run.summary": "wandb.Summary",
    "wandb.Run.config": "wandb.Config",
    "pytorch_lightning.LightningModule.logger": "pytorch_lightning.loggers.Logger",
    "sys.stdout": "io.TextIOBase",
    "sys.stderr": "io.TextIOBase",
}
"""Objects reached by attribute: of a module, or of an instance of a class."""

RETURNS: Final[dict[str, str]] = {
    **{name: name for name in (SUMMARY_WRITER, "tqdm.tqdm", "rich.console.Console", "rich.progress.Progress", "rich.table.Table")},
    **{name: name for name in ("pprint.PrettyPrinter", "logging.Logger", "csv.writer", "csv.DictWriter", "io.TextIOBase", "numpy.random.Generator")},
    **{name: name for name in ("wandb.Table", "comet_ml.Experiment", "mlflow.MlflowClient", "aim.Run", "dvclive.Live", "visdom.Visdom")},
    **{name: name for name in ("accelerate.Accelerator", "lightning.fabric.Fabric", "pytorch_lightning.loggers.Logger", "transformers.Trainer")},
    **{name: name for name in ("torchmetrics.CatMetric", "torchmetrics.MeanMetric", "torchmetrics.SumMetric", "torchmetrics.AUROC")},
    **{name: name for name in ("torch.optim.lr_scheduler.ReduceLROnPlateau", "h5py.Group")},
    "tqdm.trange": "tqdm.tqdm",
    "logging.getLogger": "logging.Logger",
    "logging.Logger.getChild": "logging.Logger",
    "absl.logging.get_absl_logger": "logging.Logger",
    "accelerate.logging.get_logger": "logging.Logger",
    "transformers.logging.get_logger": "logging.Logger",
    "transformers.utils.logging.get_logger": "logging.Logger",
    "loguru.Logger.bind": "loguru.Logger",
    "loguru.Logger.opt": "loguru.Logger",
    "structlog.get_logger": "structlog.BoundLogger",
    "structlog.getLogger": "structlog.BoundLogger",
    "structlog.BoundLogger.bind": "structlog.BoundLogger",
    "open": "io.TextIOBase",
    "wandb.init": "wandb.Run",
    "neptune.init": "neptune.Run",
    "neptune.init_run": "neptune.Run",
    "neptune.Run.__getitem__": "neptune.handler.Handler",
    "neptune.handler.Handler.__getitem__": "neptune.handler.Handler",
    "clearml.Task.get_logger": "clearml.Logger",
    "clearml.Logger.current_logger": "clearml.Logger",
    "clearml.Task.init": "clearml.Task",
    "comet_ml.start": "comet_ml.Experiment",
    "swanlab.init": "swanlab",
    "matplotlib.pyplot.subplots": FIGURE_AND_AXES,
    "matplotlib.figure.Figure.subplots": "matplotlib.axes.Axes",
    "matplotlib.pyplot.figure": "matplotlib.figure.Figure",
    "matplotlib.pyplot.gcf": "matplotlib.figure.Figure",
    "matplotlib.pyplot.gca": "matplotlib.axes.Axes",
    "matplotlib.pyplot.axes": "matplotlib.axes.Axes",
    "matplotlib.pyplot.subplot": "matplotlib.axes.Axes",
    "matplotlib.pyplot.twinx": "matplotlib.axes.Axes",
    "matplotlib.figure.Figure.add_subplot": "matplotlib.axes.Axes",
    "matplotlib.figure.Figure.add_axes": "matplotlib.axes.Axes",
    "matplotlib.figure.Figure.gca": "matplotlib.axes.Axes",
    "matplotlib.axes.Axes.twinx": "matplotlib.axes.Axes",
    "matplotlib.axes.Axes.__getitem__": "matplotlib.axes.Axes",
    "matplotlib.axes.Axes.flatten": "matplotlib.axes.Axes",
    "matplotlib.axes.Axes.ravel": "matplotlib.axes.Axes",
    "matplotlib.axes.Axes.imshow": "matplotlib.image.AxesImage",
    "matplotlib.pyplot.imshow": "matplotlib.image.AxesImage",
    "numpy.random.default_rng": "numpy.random.Generator",
}
"""What a call gives: the class of an instance, or classes joined by ", " for a tuple. Subscripting an Axes (an array of them) gives an Axes."""

_LEVELS: Final = frozenset("debug info warning warn error exception critical".split())
_WRITES: Final = frozenset(
    "add_scalar add_scalars add_histogram add_image add_images add_video add_audio add_embedding add_pr_curve add_mesh add_hparams add_text".split()
)
_BARS: Final = frozenset("set_postfix set_postfix_str set_description set_description_str write".split())
_DRAWS: Final = frozenset(
    "plot scatter bar barh hist hist2d imshow matshow contour contourf pcolormesh axhline axvline hlines vlines fill_between errorbar boxplot"
    " violinplot pie step stem semilogx semilogy loglog quiver text set_title set_xlim set_ylim".split()
)

HABITS: Final[dict[str, frozenset[str]]] = {
    "logging.Logger": _LEVELS,
    SUMMARY_WRITER: _WRITES,
    "tqdm.tqdm": _BARS,
    "matplotlib.axes.Axes": _DRAWS,
    "matplotlib.pyplot": _DRAWS | {"title", "xlim", "ylim", "imsave"},
    "wandb": frozenset({"log", "Histogram", "Image"}),
    "numpy": frozenset("array asarray mean sum std concatenate stack".split()),
    "visdom.Visdom": frozenset("line image images scatter heatmap histogram bar".split()),
    "comet_ml.Experiment": frozenset({"log_metric", "log_metrics"}),
}
"""The methods that a receiver's mere name vouches for."""

RECEIVER_IDIOMS: Final[dict[str, str]] = {
    **dict.fromkeys("logger log LOGGER LOG Log _logger _log _LOGGER logging".split(), "logging.Logger"),
    **dict.fromkeys("writer tb_writer summary_writer sw tb tensorboard tb_logger tensorboard_writer train_writer test_writer val_writer _writer".split(), SUMMARY_WRITER),
    **dict.fromkeys("pbar progress_bar progressbar tqdm_loader tqdm_bar pb bar loop tepoch t tbar prog_bar iterator train_bar".split(), "tqdm.tqdm"),
    **dict.fromkeys("ax axes axs ax1 ax2 ax3 axarr".split(), "matplotlib.axes.Axes"),
    "plt": "matplotlib.pyplot",
    "wandb": "wandb",
    **dict.fromkeys("vis viz visdom".split(), "visdom.Visdom"),
    "experiment": "comet_ml.Experiment",
}
"""A receiver's last name to the class it is by habit; `writer` and `self.writer` are one name."""
