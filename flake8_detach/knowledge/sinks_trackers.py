"""Sinks of experiment tracking: TensorBoard, wandb, mlflow and the others, Lightning, accelerate, metric stores.

Here: what each does with a live tensor, for the message; most detach by themselves, a few keep the graph. A log is a log even where the
library calls float() or numpy() inside: DET101 is what the user can act on. Framework calls documented to detach are INERT.
"""

from __future__ import annotations

from typing import Final

from .sink import DETACHES, FLOATS, HARMLESS, NUMPY, PRINTS, REFUSES, WARNS, Group, Role, at, every

LOG: Final = Role.LOG
_TB: Final = "torch.utils.tensorboard.SummaryWriter"
_TENSORBOARD: Final = "measured, torch 2.13, tensorboard 2.21, tensorboardX 2.6"
_WANDB: Final = "measured, wandb 0.31"
_MLFLOW: Final = "measured, mlflow 3.17"
_COMET: Final = "measured, comet_ml 3.58"
_NEPTUNE: Final = "measured, neptune 1.14"
_CLEARML: Final = "measured, clearml 2.1"
_AIM: Final = "measured, aim 3.29"
_SWANLAB: Final = "measured, swanlab 0.10"
_VISDOM: Final = "measured, visdom 0.2"
_LIGHTNING: Final = "measured, pytorch-lightning 2.6"
_FABRIC: Final = "measured, lightning 2.6"
_ACCELERATE: Final = "measured, accelerate 1.15"
_METRICS: Final = "measured, torchmetrics 1.9"
_ROWS: Final = "keeps every row, with the graph of each tensor in it"

_KEEPERS: Final = (
    "AUROC AdjustedMutualInfoScore AdjustedRandScore AveragePrecision BinaryAUROC BinaryAveragePrecision BinaryCalibrationError"
    " BinaryPrecisionRecallCurve BinaryROC CalinskiHarabaszScore CatMetric CalibrationError CompletenessScore CosineSimilarity"
    " DaviesBouldinScore DunnIndex ErrorRelativeGlobalDimensionlessSynthesis FowlkesMallowsIndex HomogeneityScore KendallRankCorrCoef"
    " MulticlassAUROC MulticlassAveragePrecision MutualInfoScore NormalizedMutualInfoScore RandScore RelativeAverageSpectralError"
    " RetrievalAUROC RetrievalFallOut RetrievalHitRate RetrievalMAP RetrievalMRR RetrievalNormalizedDCG RetrievalPrecision"
    " RetrievalPrecisionRecallCurve RetrievalRPrecision RetrievalRecall SpearmanCorrCoef SpectralDistortionIndex VMeasureScore"
)
_COUNTERS: Final = (
    "Accuracy BinaryAccuracy BinaryConfusionMatrix BinaryF1Score BinaryJaccardIndex BinaryPrecision BinaryRecall BinarySpecificity"
    " CohenKappa ConcordanceCorrCoef ConfusionMatrix ExplainedVariance F1Score FBetaScore HammingDistance HingeLoss JaccardIndex"
    " KLDivergence LogCoshError MatthewsCorrCoef MaxMetric MeanAbsoluteError MeanAbsolutePercentageError MeanMetric MeanSquaredError"
    " MeanSquaredLogError MinMetric MinkowskiDistance MulticlassAccuracy MulticlassConfusionMatrix MulticlassF1Score"
    " MulticlassJaccardIndex PeakSignalNoiseRatio PearsonCorrCoef R2Score RunningMean RunningSum ScaleInvariantSignalDistortionRatio"
    " ScaleInvariantSignalNoiseRatio SignalDistortionRatio SignalNoiseRatio SpatialCorrelationCoefficient SpectralAngleMapper"
    " StructuralSimilarityIndexMeasure SumMetric SymmetricMeanAbsolutePercentageError TotalVariation TweedieDevianceScore"
    " UniversalImageQualityIndex"
)
_PASSERS: Final = "CatMetric MaxMetric MeanMetric MeanSquaredError RunningMean SumMetric"


def _of(package: str, names: str) -> str:
    return " ".join(f"{package}.{name}" for name in names.split())


TABLE: Final = (
    Group(_TB, at((1, "scalar_value"), "add_scalar"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, "tag_scalar_dict"), "add_scalars"), LOG, DETACHES, _TENSORBOARD, inner=LOG),
    Group(_TB, at((1, "values"), "add_histogram"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, "img_tensor"), "add_image add_images"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, 2, "img_tensor", "box_tensor"), "add_image_with_boxes"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((0, 2, "mat", "label_img"), "add_embedding"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, "vid_tensor"), "add_video"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, "snd_tensor"), "add_audio"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, "vertices"), "add_mesh"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, "tensor"), "add_tensor"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((1, 2, "labels", "predictions"), "add_pr_curve"), LOG, DETACHES, _TENSORBOARD),
    Group(_TB, at((0, 1, "hparam_dict", "metric_dict"), "add_hparams"), LOG, DETACHES, _TENSORBOARD, inner=LOG),
    Group(_TB, at((1, "text_string"), "add_text"), Role.TYPE_ERROR, PRINTS, _TENSORBOARD, text=True),
    Group(
        "tensorboard_logger tensorboard_logger.Logger",
        at((1, "value"), "log_value"),
        LOG,
        WARNS,
        "read in the source, tensorboard_logger 0.1",
    ),
    Group("wandb wandb.Run", at((0, "data"), "log"), LOG, FLOATS, _WANDB, inner=LOG),
    Group("wandb.Summary wandb.Config", at((1,), "__setitem__"), LOG, FLOATS, _WANDB, inner=LOG),
    Group("wandb.Summary wandb.Config", every("update"), LOG, FLOATS, _WANDB, inner=LOG),
    Group("wandb", at((0, "sequence"), "Histogram"), Role.ARRAY, NUMPY, _WANDB),
    Group("wandb.plot", every("confusion_matrix pr_curve roc_curve"), Role.ARRAY, NUMPY, _WANDB),
    Group("wandb", at((0, "data_or_path"), "Image"), LOG, DETACHES, _WANDB),
    Group("wandb", at((0, "data_or_path"), "Html Object3D"), Role.TYPE_ERROR, REFUSES, _WANDB),
    Group("wandb.Table", every("add_data"), Role.KEEPS, _ROWS, _WANDB, inner=Role.KEEPS),
    Group("wandb", at((1, "data"), "Table"), Role.KEEPS, _ROWS, _WANDB, inner=Role.KEEPS),
    Group("mlflow", at((1, "value"), "log_metric"), LOG, FLOATS, _MLFLOW),
    Group("mlflow.MlflowClient", at((2, "value"), "log_metric"), LOG, FLOATS, _MLFLOW),
    Group("mlflow", at((0, "metrics"), "log_metrics"), LOG, FLOATS, _MLFLOW, inner=LOG),
    Group("mlflow", at((1, "value"), "log_param"), LOG, PRINTS, _MLFLOW, text=True, passes=True),
    Group("mlflow", at((1, "value"), "set_tag"), LOG, PRINTS, _MLFLOW, text=True),
    Group("mlflow.MlflowClient", at((2, "value"), "log_param set_tag"), LOG, PRINTS, _MLFLOW, text=True),
    Group("mlflow", at((0, "params", "tags"), "log_params set_tags"), LOG, PRINTS, _MLFLOW, inner=LOG, text=True),
    Group("mlflow", at((0, "dictionary"), "log_dict"), LOG, PRINTS, _MLFLOW, inner=LOG, text=True),
    Group("mlflow", at((0, "text"), "log_text"), Role.TYPE_ERROR, PRINTS, _MLFLOW, text=True),
    Group("mlflow", at((0, "image"), "log_image"), Role.TYPE_ERROR, REFUSES, _MLFLOW),
    Group("comet_ml.Experiment", at((1, "value"), "log_metric log_other log_parameter"), LOG, FLOATS, _COMET),
    Group("comet_ml.Experiment", at((0, "dic", "dictionary"), "log_metrics log_others"), LOG, FLOATS, _COMET, inner=LOG),
    Group("comet_ml.Experiment", at((0, "values"), "log_histogram_3d"), LOG, WARNS, _COMET),
    Group("comet_ml.Experiment", at((0, "image_data"), "log_image"), LOG, DETACHES, _COMET),
    Group("comet_ml.Experiment", at((0, "text"), "log_text"), LOG, HARMLESS, _COMET, text=True),
    Group("neptune.Run neptune.handler.Handler", at((1,), "__setitem__"), LOG, WARNS, _NEPTUNE, inner=LOG),
    Group("neptune.handler.Handler", at((0, "value"), "append assign"), LOG, WARNS, _NEPTUNE, inner=LOG),
    Group("neptune.handler.Handler", at((0, "value", "values"), "extend log"), LOG, WARNS, "documented, extend and log append", inner=LOG),
    Group("clearml.Logger", at((2, "value"), "report_scalar"), LOG, WARNS, _CLEARML),
    Group("clearml.Logger", at((1, "value"), "report_single_value"), LOG, WARNS, _CLEARML),
    Group("clearml.Logger", at((2, "values"), "report_histogram report_vector"), Role.ARRAY, NUMPY, _CLEARML),
    Group("clearml.Logger", at((0, "msg"), "report_text"), LOG, HARMLESS, _CLEARML, text=True),
    Group("aim.Run", at((0, "value"), "track"), LOG, FLOATS, _AIM, inner=LOG),
    Group("aim", at((0, "samples"), "Distribution"), Role.ARRAY, NUMPY, _AIM),
    Group("aim", at((0, "image"), "Image"), LOG, DETACHES, _AIM),
    Group("swanlab swanlab.Run", at((0, "data"), "log"), LOG, FLOATS, _SWANLAB, inner=LOG),
    Group("swanlab", at((0, "data_or_path"), "Image"), LOG, DETACHES, _SWANLAB),
    Group("dvclive.Live", at((1, "val"), "log_image log_metric log_param"), Role.TYPE_ERROR, REFUSES, "measured, dvclive 3.49"),
    Group("trackio", at((0, "metrics"), "log"), LOG, "drops it with a warning", "measured, trackio 0.43", inner=LOG),
    Group(
        "sacred.run.Run", at((1, "value"), "log_scalar"), Role.KEEPS, "keeps it, graph and all, until the heartbeat", "measured, sacred 0.8"
    ),
    Group("visdom.Visdom", at((0, "Y"), "line"), LOG, DETACHES, _VISDOM, inner=Role.ARRAY),
    Group("visdom.Visdom", at((0, "X"), "bar heatmap histogram scatter"), LOG, DETACHES, _VISDOM),
    Group("visdom.Visdom", at((0, "img", "tensor"), "image images"), LOG, DETACHES, _VISDOM),
    Group("visdom.Visdom", at((0, "text"), "text"), Role.TYPE_ERROR, PRINTS, _VISDOM, text=True),
    Group("accelerate.Accelerator", at((0, "values"), "log"), LOG, FLOATS, _ACCELERATE, inner=LOG),
    Group("accelerate.Accelerator", every("print"), LOG, PRINTS, _ACCELERATE, inner=LOG, text=True),
    Group(
        "accelerate.Accelerator",
        at((0, "tensor", "input_data"), "gather gather_for_metrics pad_across_processes reduce"),
        Role.INERT,
        HARMLESS,
        _ACCELERATE,
        passes=True,
    ),
    Group("pytorch_lightning.LightningModule", every("log log_dict"), Role.INERT, DETACHES, _LIGHTNING, inner=Role.INERT),
    Group("pytorch_lightning.LightningModule", every("print"), LOG, PRINTS, _LIGHTNING, inner=LOG, text=True),
    Group("pytorch_lightning.loggers.Logger", at((0, "metrics"), "log_metrics"), LOG, FLOATS, _LIGHTNING, inner=LOG),
    Group("pytorch_lightning.utilities.rank_zero", every("rank_zero_info rank_zero_debug"), LOG, PRINTS, _LIGHTNING, LOG, 0, True),
    Group("lightning.fabric.Fabric", at((1, "value"), "log"), LOG, FLOATS, _FABRIC),
    Group("lightning.fabric.Fabric", at((0, "metrics"), "log_dict"), LOG, FLOATS, _FABRIC, inner=LOG),
    Group("lightning.fabric.Fabric", every("print"), LOG, PRINTS, _FABRIC, inner=LOG, text=True),
    Group("lightning.fabric.Fabric", every("all_gather all_reduce"), Role.INERT, HARMLESS, _FABRIC, passes=True),
    Group(
        "transformers.Trainer",
        at((0, "logs"), "log"),
        Role.KEEPS,
        "appends it, graph and all, to `state.log_history`",
        "measured, transformers 5.23",
        inner=Role.KEEPS,
    ),
    # As constructed by default: with `thresholds=` the curves count in bins and keep nothing.
    Group(_of("torchmetrics", _KEEPERS), every("update"), Role.KEEPS, "keeps every batch, graph and all, until `reset()`", _METRICS),
    Group(_of("torchmetrics", _COUNTERS), every("update"), Role.INERT, HARMLESS, _METRICS),
    Group(_of("torchmetrics", _PASSERS), every("forward __call__"), Role.INERT, HARMLESS, _METRICS, passes=True),
    Group(
        _of("ignite.metrics", "Accuracy Average EpochMetric GeometricAverage Loss MeanSquaredError PSNR SSIM VariableAccumulation"),
        every("update"),
        Role.INERT,
        DETACHES,
        "measured, pytorch-ignite 0.5",
    ),
)
