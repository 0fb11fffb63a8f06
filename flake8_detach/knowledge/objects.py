"""What library objects are: which classes are modules with parameters, optimizers, schedulers, loaders, containers of modules.

Source: the pages torch.nn, torch.optim, torch.utils.data and torch.distributions of the PyTorch 2.13 documentation.
"""

from __future__ import annotations

import re
from typing import Final

from flake8_detach.value import Kind

WITH_PARAMETERS: Final = frozenset(
    "Linear Bilinear LazyLinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d LazyConv3d"
    " LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d"
    " LazyBatchNorm3d SyncBatchNorm GroupNorm LayerNorm RMSNorm Embedding EmbeddingBag PReLU RNN LSTM GRU RNNCell LSTMCell GRUCell"
    " MultiheadAttention Transformer TransformerEncoder TransformerDecoder TransformerEncoderLayer TransformerDecoderLayer"
    " AdaptiveLogSoftmaxWithLoss".split()
)
"""Classes of torch.nn whose instances hold parameters that require grad from the start."""

MODE_DEPENDENT: Final = {
    **dict.fromkeys("Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout".split(), 0.5),
    **dict.fromkeys("BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d SyncBatchNorm RReLU".split(), 1),
    **dict.fromkeys("Transformer TransformerEncoderLayer TransformerDecoderLayer".split(), 0.1),
    **dict.fromkeys("RNN LSTM GRU MultiheadAttention".split(), 0),
}
"""Classes of torch.nn that work differently in train and eval mode, with the dropout rate they have by default (0: none)."""

TRACKING: Final = frozenset(name for name in MODE_DEPENDENT if "BatchNorm" in name)

CHANNELS: Final = {
    "Queue": "put put_nowait", "SimpleQueue": "put", "JoinableQueue": "put put_nowait",
    "Pool": "apply apply_async map map_async imap imap_unordered starmap starmap_async",
}  # fmt: skip
"""Objects of multiprocessing that pickle what they are given, with the methods that do."""

PROCESSES: Final = ("multiprocessing.", "torch.multiprocessing.", "multiprocess.")

PRETRAINED: Final = re.compile(
    r"^torchvision\.models\.(\w+\.)?(alexnet|vgg|resnet|resnext|wide_resnet|densenet|googlenet|inception|mobilenet|mnasnet|shufflenet"
    r"|squeezenet|efficientnet|regnet|convnext|vit_|swin)"
)
"""Models of torchvision, all with dropout or batch norm, and made in train mode."""

FEATURE_EXTRACTORS: Final = re.compile(r"^(.*\.)?inception\.InceptionV3$")
"""The network of pytorch-fid, which projects copy with its file: given the blocks to put out, it is frozen unless requires_grad=True."""

RECURRENT: Final = frozenset("RNN LSTM GRU".split())
"""Return (output, state); the state of an LSTM is itself a pair."""

PAIRED: Final = frozenset("MultiheadAttention LSTMCell".split())
"""Return a pair of tensors."""

HOLDERS: Final = frozenset("Sequential ModuleList ModuleDict ParameterList ParameterDict".split())
"""Modules that are containers of the modules given to them."""


MODULE_BASES: Final = frozenset(
    "torch.nn.Module lightning.pytorch.LightningModule pytorch_lightning.LightningModule lightning.LightningModule L.LightningModule"
    " pl.LightningModule pytorch_lightning.core.LightningModule lightning.pytorch.core.LightningModule transformers.PreTrainedModel"
    " torch_geometric.nn.MessagePassing torch.jit.ScriptModule pytorch_lightning.core.lightning.LightningModule".split()
)

LIGHTNING_BASES: Final = frozenset(name for name in MODULE_BASES if name.endswith("LightningModule"))

FRAMEWORK_NO_GRAD: Final = frozenset(
    ["validation_step", "test_step", "predict_step", "validation_step_end", "test_step_end", "validation_epoch_end", "test_epoch_end"]
    + [f"on_{run}_{what}{end}" for run in ("validation", "test", "predict") for what in ("", "epoch_", "batch_") for end in ("start", "end")]
)
"""Hooks that Lightning runs under no_grad. https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#hooks"""

PREPARES: Final = ("setUpClass", "setUp", "setup_class", "setup_method")
"""What unittest and pytest run before each test of a class. https://docs.python.org/3/library/unittest.html#unittest.TestCase.setUp"""

SWITCH_OFF: Final = frozenset(
    "torch.no_grad torch.autograd.no_grad torch.inference_mode torch.autograd.inference_mode torch.autograd.grad_mode.no_grad"
    " torch.autograd.grad_mode.inference_mode".split()
)
SWITCH_ON: Final = frozenset("torch.enable_grad torch.autograd.enable_grad torch.autograd.grad_mode.enable_grad".split())
SWITCH_BY: Final = frozenset("torch.set_grad_enabled torch.autograd.set_grad_enabled torch.autograd.grad_mode.set_grad_enabled".split())

DISTRIBUTION: Final = "torch.distributions.Distribution"
DIFFERENTIABLE_SAMPLES: Final = frozenset("rsample log_prob entropy mean variance stddev logits probs cdf icdf mode perplexity scale loc".split())
"""Methods and attributes of a distribution that carry its parameters' history; `sample` runs under no_grad."""

SCHEDULERS: Final = "torch.optim.lr_scheduler."
OPTIMIZERS: Final = ("torch.optim.", "transformers.AdamW", "bitsandbytes.optim.", "apex.optimizers.", "torch_optimizer.", "timm.optim.")

CLASS_KINDS: Final = {
    **dict.fromkeys(("torch.Tensor", "torch.autograd.Variable", "torch.autograd.variable.Variable", "torch.nn.Parameter"), Kind.TENSOR),
    **dict.fromkeys((f"torch.{d}Tensor" for d in "Float Double Half Long Int Byte Bool cuda.Float cuda.Long".split()), Kind.TENSOR),
    **dict.fromkeys("builtins.list builtins.tuple builtins.dict collections.abc.Mapping torch.Size".split(), Kind.CONTAINER),
    **dict.fromkeys("builtins.int builtins.float builtins.bool numbers.Number".split(), Kind.NUMBER),
    "builtins.str": Kind.TEXT, "numpy.ndarray": Kind.ARRAY, "torch.nn.Module": Kind.MODULE, "torch.optim.Optimizer": Kind.OPTIMIZER,
}  # fmt: skip
"""The kind of the instances of a class, for isinstance()."""
WHOLE_CLASSES: Final = frozenset(
    "torch.Tensor torch.autograd.Variable torch.autograd.variable.Variable builtins.str numpy.ndarray torch.nn.Module numbers.Number"
    " torch.optim.Optimizer".split()
)
"""Classes that everything of their kind is an instance of."""

TENSORDICT_MODULES: Final = re.compile(
    r"^(tensordict|torchrl)\..*(TensorDict(Module|Sequential)|Safe\w+|Actor|ActorValueOperator|ActorCriticOperator|ValueOperator|QValueModule"
    r"|LSTMModule|GRUModule|EGreedyModule|AdditiveGaussianModule)$"
)
"""Modules that give a TensorDict, which shows shapes and types where a tensor shows its history. https://docs.pytorch.org/tensordict/stable"""

AUTOCASTS: Final = frozenset(
    "torch.autocast torch.amp.autocast torch.amp.autocast_mode.autocast torch.cuda.amp.autocast torch.cpu.amp.autocast"
    " torch.cuda.amp.autocast_mode.autocast".split()
)
SCHEDULE_MAKERS: Final = re.compile(r"(transformers|diffusers)\.(\w+\.)*get_(\w+_)?schedul(er|e|e_\w+)$")
"""Functions that make a torch scheduler. https://huggingface.co/docs/transformers/main_classes/optimizer_schedules"""
HUB_MODELS: Final = re.compile(r"transformers\.(\w+\.)*(?!TF|Flax)(\w*Model(With\w+)?|\w+For[A-Z]\w+)\.from_pretrained$")
"""Models that come in eval mode, with gradients. https://huggingface.co/docs/transformers/main_classes/model"""


def kind_of_class(dotted: str) -> int:
    """The Kind of an instance of a library class, Kind.UNKNOWN where nothing is known."""
    head, _, last = dotted.rpartition(".")
    if dotted.startswith(SCHEDULERS):
        return Kind.SCHEDULER
    if dotted.startswith(OPTIMIZERS) and last[:1].isupper():
        return Kind.OPTIMIZER
    if last == "GradScaler" and dotted.startswith("torch"):
        return Kind.SCALER
    if dotted == "torch.utils.data.DataLoader" or (last == "DataLoader" and head.startswith("torch_geometric")):
        return Kind.LOADER
    if head in ("torch.nn", "torch.nn.modules") and last[:1].isupper() and last not in ("Parameter", "Module", "DataParallel"):
        return Kind.MODULE
    return Kind.UNKNOWN


def has_parameters(dotted: str) -> bool:
    """Whether a class of torch.nn holds parameters of its own."""
    return dotted.rpartition(".")[2] in WITH_PARAMETERS
