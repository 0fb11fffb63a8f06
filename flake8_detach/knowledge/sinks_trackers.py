"""Sinks of experiment tracking: TensorBoard, wandb, mlflow and the others, Lightning, accelerate, metric stores.

Here: what each does with a live tensor, for the message; most detach by themselves, a few keep the graph. A log is a log even where the
library calls float() or numpy() inside: DET101 is what the user can act on. Framework calls documented to detach are INERT.
"""

from __future__ import annotations

from typing import Final

from .sink import DETACHES, FLOATS, HARMLESS, PRINTS, REFUSES, WARNS, Group, Role, at, every

LOG: Final = Role.LOG
_TB: Final = "torch.utils.tensorboard.SummaryWriter"
_TB_SOURCE: Final = "measured, torch 2.13, tensorboard 2.21, tensorboardX 2.6"
_WANDB: Final = "measured, wandb 0.31"
_MLFLOW: Final = "measured, mlflow 3.17"
_COMET: Final = "measured, comet_ml 3.58"
_PL: Final = "measured, pytorch-lightning 2.6"
_VISDOM: Final = "measured, visdom 0.2"
_CLEARML: Final = "measured, clearml 2.1"

TABLE: Final = (
    Group(_TB, at((1, "scalar_value"), "add_scalar"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((1, "tag_scalar_dict"), "add_scalars"), LOG, DETACHES, _TB_SOURCE, inner=LOG),
    Group(_TB, at((1, "values"), "add_histogram"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((1, "img_tensor"), "add_image add_images"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((0, "mat"), "add_embedding"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((1, "vid_tensor"), "add_video"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((1, "snd_tensor"), "add_audio"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((1, "vertices"), "add_mesh"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((1, "tensor"), "add_tensor"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((1, 2, "labels", "predictions"), "add_pr_curve"), LOG, DETACHES, _TB_SOURCE),
    Group(_TB, at((0, 1, "hparam_dict", "metric_dict"), "add_hparams"), LOG, DETACHES, _TB_SOURCE, inner=LOG),
    Group(_TB, at((1, "text_string"), "add_text"), Role.TYPE_ERROR, REFUSES, _TB_SOURCE, text=True),
    Group("wandb wandb.Run", at((0, "data"), "log"), LOG, FLOATS, _WANDB, inner=LOG),
    Group("wandb.Summary wandb.Config", at((1,), "__setitem__"), LOG, FLOATS, _WANDB, inner=LOG),
    Group("wandb.Summary wandb.Config", every("update"), LOG, FLOATS, _WANDB, inner=LOG),
    Group("wandb", at((0, "sequence"), "Histogram"), Role.ARRAY, "calls `.numpy()` on it, which raises for a tensor that requires grad", _WANDB),
    Group("wandb", at((0, "data_or_path"), "Image"), LOG, DETACHES, _WANDB),
    Group("wandb.Table", every("add_data"), Role.KEEPS, "keeps every row, with the graph of each tensor in it", _WANDB),
    Group("wandb", at(("data",), "Table"), Role.KEEPS, "keeps every row, with the graph of each tensor in it", _WANDB, inner=Role.KEEPS),
    Group("mlflow", at((1, "value"), "log_metric"), LOG, FLOATS, _MLFLOW),
    Group("mlflow.MlflowClient", at((2, "value"), "log_metric"), LOG, FLOATS, _MLFLOW),
    Group("mlflow", at((0, "metrics"), "log_metrics"), LOG, FLOATS, _MLFLOW, inner=LOG),
    Group("mlflow", at((1, "value"), "log_param"), LOG, PRINTS, _MLFLOW, text=True, passes=True),
    Group("mlflow", at((0, "params"), "log_params"), LOG, PRINTS, _MLFLOW, inner=LOG, text=True),
    Group("mlflow", at((0, "dictionary"), "log_dict"), LOG, PRINTS, _MLFLOW, inner=LOG, text=True),
    Group("mlflow", at((0, "image"), "log_image"), Role.TYPE_ERROR, REFUSES, _MLFLOW),
    Group("comet_ml.Experiment", at((1, "value"), "log_metric log_other"), LOG, FLOATS, _COMET),
    Group("comet_ml.Experiment", at((0, "dic"), "log_metrics"), LOG, FLOATS, _COMET, inner=LOG),
    Group("comet_ml.Experiment", at((1, "value"), "log_parameter"), LOG, FLOATS, _COMET),
    Group("comet_ml.Experiment", at((0, "values"), "log_histogram_3d"), LOG, WARNS, _COMET),
    Group("comet_ml.Experiment", at((0, "image_data"), "log_image"), LOG, DETACHES, _COMET),
    Group("comet_ml.Experiment", at((0, "text"), "log_text"), LOG, PRINTS, _COMET, text=True),
    Group("neptune.Run neptune.handler.Handler", at((1,), "__setitem__"), LOG, WARNS, "measured, neptune 1.14", inner=LOG),
    Group("neptune.handler.Handler", at((0, "value"), "append log assign extend"), LOG, WARNS, "measured, neptune 1.14", inner=LOG),
    Group("clearml.Logger", at((2, "value"), "report_scalar"), LOG, WARNS, _CLEARML),
    Group("clearml.Logger", at((1, "value"), "report_single_value"), LOG, WARNS, _CLEARML),
    Group("clearml.Logger", at((2, "values"), "report_histogram report_vector"), Role.ARRAY, "calls `.numpy()` on it, which raises", _CLEARML),
    Group("clearml.Logger", at((0, "msg"), "report_text"), LOG, HARMLESS, _CLEARML, text=True),
    Group("aim.Run", at((0, "value"), "track"), LOG, FLOATS, "measured, aim 3.29", inner=LOG),
    Group("swanlab", at((0, "data"), "log"), LOG, FLOATS, "measured, swanlab 0.10", inner=LOG),
    Group("dvclive.Live", at((1, "val"), "log_metric log_param"), Role.TYPE_ERROR, REFUSES, "measured, dvclive 3.49"),
    Group("trackio", at((0, "metrics"), "log"), LOG, "drops it with a warning", "measured, trackio 0.43", inner=LOG),
    Group("sacred.run.Run", at((1, "value"), "log_scalar"), Role.KEEPS, "keeps it, graph and all, until the next heartbeat", "measured, sacred 0.8"),
    Group("visdom.Visdom", at((0, "Y"), "line"), LOG, DETACHES, _VISDOM, inner=Role.ARRAY),
    Group("visdom.Visdom", at((0, "X"), "scatter histogram bar heatmap"), LOG, DETACHES, _VISDOM),
    Group("visdom.Visdom", at((0, "img", "tensor"), "image images"), LOG, DETACHES, _VISDOM),
    Group("visdom.Visdom", at((0, "text"), "text"), Role.TYPE_ERROR, REFUSES, _VISDOM, text=True),
    Group("accelerate.Accelerator", at((0, "values"), "log"), LOG, FLOATS, "measured, accelerate 1.15", inner=LOG),
    Group("accelerate.Accelerator", every("print"), LOG, PRINTS, "measured, accelerate 1.15", inner=LOG, text=True),
    Group(
        "accelerate.Accelerator",
        at((0, "tensor", "input_data"), "gather gather_for_metrics reduce pad_across_processes"),
        Role.INERT,
        HARMLESS,
        "measured, accelerate 1.15",
        passes=True,
    ),
    Group("pytorch_lightning.LightningModule", every("log log_dict"), Role.INERT, DETACHES, _PL, inner=Role.INERT),
    Group("pytorch_lightning.LightningModule", every("print"), LOG, PRINTS, _PL, inner=LOG, text=True),
    Group("pytorch_lightning.loggers.Logger", at((0, "metrics"), "log_metrics"), LOG, FLOATS, _PL, inner=LOG),
    Group("lightning.fabric.Fabric", at((1, "value"), "log"), LOG, FLOATS, "measured, lightning 2.6"),
    Group("lightning.fabric.Fabric", at((0, "metrics"), "log_dict"), LOG, FLOATS, "measured, lightning 2.6", inner=LOG),
    Group("lightning.fabric.Fabric", every("print"), LOG, PRINTS, "measured, lightning 2.6", inner=LOG, text=True),
    Group("transformers.Trainer", at((0, "logs"), "log"), Role.KEEPS, "appends it, graph and all, to `state.log_history`", "measured, transformers 5.23", inner=Role.KEEPS),
    Group("torchmetrics", every("update"), Role.INERT, HARMLESS, "measured, torchmetrics 1.9"),
    Group(
        "torchmetrics.CatMetric torchmetrics.AUROC torchmetrics.SpearmanCorrCoef",
        every("update"),
        Role.KEEPS,
        "keeps every batch, graph and all, until `reset()`",
        "measured, torchmetrics 1.9",
    ),
    Group("ignite.metrics", every("update"), Role.INERT, DETACHES, "measured, pytorch-ignite 0.5"),
)
