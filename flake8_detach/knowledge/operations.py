"""What operations do to values: the exceptions to "a differentiable operation derives".

Here: names of torch functions and Tensor methods, each with one Effect. Not here: what an Effect means (interpreter/effects). Of 540
differentiable float samples in torch's own `op_db`, 532 map live to live, so only exceptions are listed; everything else of torch is DERIVE.
Sources: torch 2.13, `derivatives.yaml` (`output_differentiability`), the pages torch.Tensor and torch of the documentation.
"""
from __future__ import annotations

from typing import Final


class Effect:
    """What an operation makes of its operands."""

    DERIVE: Final = "derive"  # live if an operand is, and grad mode is on
    SAME: Final = "same"  # hands its operand back
    DETACH: Final = "detach"  # shares storage, without history
    FRESH: Final = "fresh"  # a new float tensor without history
    INTEGER: Final = "integer"  # an integer or boolean tensor: never requires grad
    NUMBER: Final = "number"
    NUMBERS: Final = "numbers"  # a container of plain numbers
    TEXT: Final = "text"
    ARRAY: Final = "array"
    OTHER: Final = "other"
    PAIR: Final = "pair"  # (values that derive, integer indices)
    SPLIT: Final = "split"  # a container of views that derive
    BESIDE: Final = "beside"  # mutates its first operand from the others, in place
    FIRST: Final = "first"  # passes its first argument through, as the same object
    TUPLE: Final = "tuple"  # passes all its arguments through, as a tuple


def _table(**rows: str) -> dict[str, str]:
    return {name: effect for effect, names in rows.items() for name in names.split()}


METHODS: Final = _table(
    detach="detach detach_ data",
    number="item size dim ndimension numel nelement stride element_size get_device is_floating_point is_complex is_contiguous"
    " storage_offset is_cuda data_ptr __len__ equal allclose is_shared is_pinned has_names is_same_size dense_dim sparse_dim",
    numbers="tolist",
    array="numpy __array__",
    text="__repr__ __str__ type_name",
    integer="argmax argmin argsort long int short byte bool eq ne lt le gt ge isnan isinf isfinite isposinf isneginf nonzero multinomial"
    " logical_and logical_or logical_not logical_xor any all count_nonzero bincount equal_to eq_ not_equal greater less greater_equal"
    " less_equal bitwise_and bitwise_or bitwise_not searchsorted bucketize histc signbit isclose isin char",
    fresh="new new_zeros new_ones new_empty new_full new_tensor",
    pair="sort topk kthvalue mode",
    split="chunk split unbind tensor_split unsafe_chunk hsplit vsplit dsplit split_with_sizes unsafe_split",
    other="share_memory_ register_hook retain_grad storage untyped_storage record_stream is_sparse pin_memory_",
)
"""Tensor methods that are no plain DERIVE. `to`, `cuda` ... derive: they give the same history back."""

REDUCE_TO_PAIR: Final = frozenset("max min median cummax cummin nanmedian aminmax".split())
"""With a dimension these return (values, indices); without, one value. https://docs.pytorch.org/docs/2.13/generated/torch.max.html"""

CONVERSIONS: Final = frozenset("to cuda cpu float double half bfloat16 contiguous type xpu mps npu share_memory".split())
"""Methods that give a module itself back, and a tensor with its history."""

INPLACE_NAMES: Final = frozenset("copy_ add_ sub_ mul_ div_ lerp_ index_copy_ index_add_ masked_fill_ masked_scatter_ scatter_ scatter_add_ fill_"
                                 " addcmul_ addcdiv_ index_put_ addmm_ put_ baddbmm_".split())

TENSOR_ONLY: Final = frozenset(
    "detach detach_ item backward requires_grad_ unsqueeze squeeze view permute contiguous argmax log_softmax softmax masked_fill clamp"
    " expand gather unsqueeze_ squeeze_ matmul bmm sigmoid tanh relu numel is_floating_point retain_grad exp neg logsumexp chunk".split()
)
"""Method names that no common object but a tensor has."""

DROPOUTS: Final = frozenset("dropout dropout1d dropout2d dropout3d".split())
"""Functions of torch.nn.functional that are on unless `training=False`."""

SAVES_NOTHING: Final = frozenset(
    "add sub subtract cat concat concatenate stack hstack vstack dstack hsplit sum mean view_as expand_as reshape_as type_as to equal allclose"
    " copy_ eq ne lt le gt ge zip print append extend isclose where_ detach clone sub_ add_ new_tensor tensor as_tensor Tensor FloatTensor"
    " zeros_like ones_like rand_like randn_like full_like empty_like no_grad save argmax L1Loss l1_loss".split()
)
"""Names of operations of several tensors that keep none of them for their backward (or build no graph)."""

FUNCTIONS: Final = _table(
    fresh="tensor zeros ones empty full rand randn zeros_like ones_like empty_like full_like rand_like randn_like from_numpy linspace logspace"
    " eye normal load empty_strided hann_window hamming_window blackman_window frombuffer from_file quantize_per_tensor rand_like"
    " full_like complex_like empty_permuted",
    integer="arange randint randperm argmax argmin argsort eq ne lt le gt ge isnan isinf isfinite nonzero multinomial logical_and logical_or"
    " logical_not logical_xor any all count_nonzero bincount searchsorted bucketize tril_indices triu_indices randint_like isclose isin"
    " greater less greater_equal less_equal not_equal signbit histc bitwise_and bitwise_or bitwise_not bitwise_xor nn.functional.one_hot",
    number="is_tensor numel equal allclose is_grad_enabled is_inference_mode_enabled is_floating_point is_complex initial_seed"
    " cuda.is_available cuda.device_count get_num_threads nn.init.calculate_gain cuda.current_device seed",
    pair="sort topk kthvalue mode",
    split="chunk split unbind tensor_split hsplit vsplit unsafe_chunk broadcast_tensors meshgrid svd qr lu linalg.svd linalg.qr linalg.eigh"
    " linalg.eig slogdet linalg.slogdet var_mean std_mean atleast_1d block_diag_ triangular_solve lstm gru",
    other="manual_seed save device dtype set_default_dtype set_default_tensor_type set_num_threads use_deterministic_algorithms"
    " cuda.synchronize cuda.empty_cache cuda.set_device cuda.manual_seed cuda.manual_seed_all Generator set_printoptions Size typename"
    " set_default_device cuda.manual_seed_all get_rng_state set_rng_state cuda.amp.autocast autocast amp.autocast"
    " finfo iinfo get_default_dtype result_type promote_types cuda.Stream cuda.Event cuda.reset_peak_memory_stats"
    " set_float32_matmul_precision compiler.cudagraph_mark_step_begin",
    first="nn.DataParallel nn.parallel.DistributedDataParallel compile jit.script nn.SyncBatchNorm.convert_sync_batchnorm nn.utils.weight_norm"
    " nn.utils.spectral_norm nn.utils.parametrizations.weight_norm nn.utils.parametrizations.spectral_norm jit.trace jit.freeze"
    " distributed.fsdp.FullyShardedDataParallel nn.utils.remove_weight_norm",
    beside="nn.init.normal_ nn.init.uniform_ nn.init.constant_ nn.init.zeros_ nn.init.ones_ nn.init.xavier_uniform_ nn.init.xavier_normal_"
    " nn.init.kaiming_uniform_ nn.init.kaiming_normal_ nn.init.orthogonal_ nn.init.trunc_normal_ nn.init.eye_ nn.init.sparse_ nn.init.dirac_",
)
"""Functions below `torch.` that are no plain DERIVE, by the rest of their dotted name."""

CREATORS: Final = frozenset("tensor zeros ones empty full rand randn linspace arange eye from_numpy as_tensor normal randint randperm logspace"
                            " zeros_like ones_like rand_like randn_like full_like empty_like".split())
"""Functions that make a tensor and accept `requires_grad=`; the block of a `no_grad` that holds only these does nothing."""

WRAPPERS: Final = {
    "accelerate.Accelerator.prepare": Effect.TUPLE,
    "apex.amp.initialize": Effect.TUPLE,
    "ipex.optimize": Effect.TUPLE,
}

ATTRIBUTES: Final = _table(
    detach="data",
    derive="T mT H mH real imag",
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
