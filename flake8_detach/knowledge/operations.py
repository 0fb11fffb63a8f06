"""What operations do to values: the exceptions to "a differentiable operation derives".

Here: names of torch functions and Tensor methods, each with one Effect. Not here: what an Effect means (interpreter/effects). Of 540
differentiable float samples in torch's own `op_db`, 532 map live to live, so only exceptions are listed; everything else of torch is DERIVE.
The tables list only what torch's own tables (operators.txt) don't tell: functions and methods written in Python, attributes, conversions,
composite operators, and operators without a formula, of which only the documentation tells whether they give integers.
"""
from __future__ import annotations

from functools import cache
from typing import Final

from . import operators, outputs


class Effect:
    """What an operation makes of its operands."""

    DERIVE: Final = "derive"  # live if an operand is, and grad mode is on
    DETACH: Final = "detach"  # shares storage, without history
    FRESH: Final = "fresh"  # a new float tensor without history
    INTEGER: Final = "integer"  # an integer or boolean tensor: never requires grad
    NUMBER: Final = "number"
    NUMBERS: Final = "numbers"  # a container of plain numbers
    TEXT: Final = "text"
    ARRAY: Final = "array"
    OTHER: Final = "other"
    PAIR: Final = "pair"  # (values that derive, integer indices)
    ROW: Final = "row"  # several outputs, of which outputs.py tells
    SPLIT: Final = "split"  # a container of views that derive
    VIEW: Final = "view"
    VIEWS: Final = "views"  # a view of each operand
    SEVERAL: Final = "several"  # a container of new tensors that derive
    FIRST: Final = "first"  # passes its first argument through, as the same object
    SECOND: Final = "second"  # passes its second argument through: it only says of what type it is
    REPEAT: Final = "repeat"  # a tuple of its argument, or its argument where that is one already
    TUPLE: Final = "tuple"  # passes all its arguments through, as a tuple


def _table(**rows: str) -> dict[str, str]:
    return {name: effect for effect, names in rows.items() for name in names.split()}


METHODS: Final = _table(
    detach="detach detach_ data",
    number="ndimension nelement element_size is_cuda data_ptr __len__ is_shared has_names",
    numbers="tolist",
    array="numpy __array__ astype",
    text="__repr__ __str__ type_name",
    integer="argmax argmin argsort long int short byte bool isinf isfinite isposinf isneginf logical_and logical_or logical_not logical_xor"
    " bincount not_equal greater less greater_equal less_equal bitwise_and bitwise_or bitwise_not bitwise_xor searchsorted bucketize signbit"
    " isclose isin char isreal argwhere nonzero_static",
    fresh="new new_zeros new_ones new_empty new_full new_tensor new_empty_strided histc",
    several="unsafe_chunk",
    other="share_memory_ register_hook retain_grad storage untyped_storage record_stream is_sparse pin_memory_",
)
"""Tensor methods that are no plain DERIVE. `to`, `cuda` ... derive: they give the same history back."""

BACKWARD_TAKES: Final = 4
"""How many positional arguments a tensor's backward has: gradient, retain_graph, create_graph, inputs."""

CONVERSIONS: Final = frozenset("to cuda cpu float double half bfloat16 contiguous type xpu mps npu share_memory cdouble cfloat chalf".split())
"""Methods that give a module itself back, and a tensor with its history."""

TENSOR_ONLY: Final = frozenset(
    "detach detach_ item backward requires_grad_ unsqueeze squeeze view permute contiguous argmax log_softmax softmax masked_fill clamp"
    " expand gather unsqueeze_ squeeze_ matmul bmm sigmoid tanh relu numel is_floating_point retain_grad exp neg logsumexp chunk".split()
)
"""Method names that no common object but a tensor has."""

NO_ARRAY: Final = TENSOR_ONLY | CONVERSIONS | frozenset("long int short byte numpy cpu".split())
"""Method names that arrays don't have."""

DROPOUTS: Final = frozenset("dropout dropout1d dropout2d dropout3d".split())
"""Functions of torch.nn.functional that are on unless `training=False`."""

SAVES_NOTHING: Final = frozenset(
    "subtract concat concatenate hstack vstack dstack hsplit view_as expand_as reshape_as type_as to copy_ isclose detach new_tensor tensor"
    " as_tensor Tensor FloatTensor zeros_like ones_like rand_like randn_like full_like empty_like no_grad argmax L1Loss l1_loss"
    " zip print append extend where_ save".split()
)
"""Names of operations of several tensors that keep none of them for their backward (or build no graph), where operators.txt doesn't tell."""

FUNCTIONS: Final = _table(
    fresh="tensor zeros_like ones_like empty_like full_like rand_like randn_like randint_like from_numpy normal frombuffer quantize_per_tensor"
    " linspace logspace histc",
    integer="arange randint randperm argmax argmin argsort isinf isfinite isposinf isneginf logical_and logical_or logical_not logical_xor"
    " bincount searchsorted bucketize tril_indices triu_indices isclose isin greater less greater_equal less_equal not_equal"
    " isreal argwhere nonzero_static linalg.matrix_rank signbit bitwise_and bitwise_or bitwise_not bitwise_xor nn.functional.one_hot",
    number="is_tensor is_grad_enabled is_inference_mode_enabled initial_seed cuda.is_available cuda.device_count get_num_threads"
    " nn.init.calculate_gain cuda.current_device seed",
    views="broadcast_tensors meshgrid",
    several="unsafe_chunk gradient unravel_index",
    numbers="broadcast_shapes",
    other="manual_seed save device dtype set_default_dtype set_default_tensor_type set_num_threads use_deterministic_algorithms"
    " cuda.synchronize cuda.empty_cache cuda.set_device cuda.manual_seed cuda.manual_seed_all Generator set_printoptions Size typename"
    " set_default_device cuda.manual_seed_all get_rng_state set_rng_state cuda.amp.autocast autocast amp.autocast"
    " finfo iinfo get_default_dtype result_type promote_types cuda.Stream cuda.Event cuda.reset_peak_memory_stats"
    " set_float32_matmul_precision compiler.cudagraph_mark_step_begin",
    first="nn.DataParallel nn.parallel.DistributedDataParallel compile jit.script nn.SyncBatchNorm.convert_sync_batchnorm nn.utils.weight_norm"
    " nn.utils.spectral_norm nn.utils.parametrizations.weight_norm nn.utils.parametrizations.spectral_norm jit.trace jit.freeze"
    " distributed.fsdp.FullyShardedDataParallel nn.utils.remove_weight_norm",
    second="jit.annotate",
    repeat="nn.utils._single nn.utils._pair nn.utils._triple nn.utils._quadruple nn.utils._reverse_repeat_tuple",
    beside="nn.init.normal_ nn.init.uniform_ nn.init.constant_ nn.init.zeros_ nn.init.ones_ nn.init.xavier_uniform_ nn.init.xavier_normal_"
    " nn.init.kaiming_uniform_ nn.init.kaiming_normal_ nn.init.orthogonal_ nn.init.trunc_normal_ nn.init.eye_ nn.init.sparse_ nn.init.dirac_",
)
"""Functions below `torch.` that are no plain DERIVE, by the rest of their dotted name."""

KEEPS_INTEGERS: Final = frozenset("cpu cuda type unique".split())
"""Functions and methods that give integers of integers, beside those of which torch's tables tell (operators, outputs.gives_float)."""

CREATORS: Final = frozenset("tensor zeros ones empty full rand randn linspace arange eye from_numpy as_tensor normal randint randperm logspace"
                            " zeros_like ones_like rand_like randn_like randint_like full_like empty_like empty_strided empty_permuted scalar_tensor"
                            " bartlett_window blackman_window hamming_window hann_window kaiser_window".split())
"""Functions that make a tensor and accept `requires_grad=`; the block of a `no_grad` that holds only these does nothing."""

DEVICES: Final = ("cuda.", "xpu.", "mps.", "mtia.", "accelerator.")
"""Below these stand questions about devices, and their settings; what they give is no tensor that a graph could hold."""

WRAPPERS: Final = {
    "typing.cast": Effect.SECOND,
    "typing_extensions.cast": Effect.SECOND,
    "accelerate.Accelerator.prepare": Effect.TUPLE,
    "apex.amp.initialize": Effect.TUPLE,
    "ipex.optimize": Effect.TUPLE,
}

ATTRIBUTES: Final = _table(
    detach="data",
    view="T mT H mH real imag",
    numbers="shape",
    number="requires_grad is_leaf ndim is_cuda itemsize nbytes is_sparse",
    other="device dtype layout grad_fn names _version",
)
"""Attributes of a tensor. `.grad` is plain (without create_graph)."""

PURE_MODULES: Final = frozenset(
    "os sys json time random math re argparse pathlib collections itertools functools datetime copy glob shutil logging csv pickle typing"
    " warnings subprocess string io yaml tempfile traceback operator enum uuid hashlib socket threading multiprocessing contextlib dataclasses"
    " abc types inspect platform signal queue heapq bisect statistics textwrap pprint getpass zipfile tarfile urllib requests gym gymnasium"
    " PIL cv2 omegaconf hydra click tqdm torchvision.transforms torchvision.datasets torch.utils.data transformers.AutoTokenizer".split()
)
"""Roots of libraries that never back-propagate what they are given and never return a live tensor that they were not given."""
PURE_PARTS: Final = tuple(sorted(name + "." for name in PURE_MODULES if "." in name))
"""Of these the beginnings of what lies in a part of a library."""


def of_method(name: str) -> str | None:
    """The Effect of a method of tensors; None for the rule."""
    return METHODS.get(name) or _told(name)


def of_function(short: str) -> str | None:
    """The Effect of a function, by its name below torch; None for the rule."""
    return FUNCTIONS.get(short) or _told(short)


@cache
def _told(name: str) -> str | None:
    """What operators.txt tells; functions of torch.nn are mostly written in Python and give something else than their operators.

    What is not differentiable gives integers: of the exceptions (special functions, histc) the documentation tells.
    """
    if name in outputs.COMPOSED:
        return Effect.ROW
    if name.startswith("signal.windows."):
        return Effect.FRESH
    if name.startswith("nn."):
        return None
    if operators.returns_number(name):
        return Effect.NUMBER
    if operators.is_creation(name) or (name.startswith("special.") and operators.returns_undifferentiable(name)):
        return Effect.FRESH
    if operators.returns_undifferentiable(name):
        return Effect.INTEGER
    if operators.returns_pair(name) and operators.row(name).fields == ("values", "indices"):
        return Effect.PAIR
    if operators.is_list(name):
        return Effect.SEVERAL
    if outputs.of(name):
        return Effect.ROW
    return Effect.SPLIT if operators.is_split(name) else None
