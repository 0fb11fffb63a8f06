"""What torch's operations give beside one tensor that derives: several outputs, another dtype, perhaps the operand itself.

Here: names of functions below torch and of methods. Not here: what torch's tables tell by themselves (operators), Effects (operations), what
becomes of the values (interpreter/results). All of it is measured against torch by tests/test_knowledge.py.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from . import operators


class Output(NamedTuple):
    """One output: the field it has in a named tuple, whether it derives, is an integer tensor, or a list of tensors."""

    field: str
    derives: bool = True
    integer: bool = False
    listed: bool = False


COMPOSED: Final = {
    "svd": "U S V", "linalg.svd": "U S Vh", "linalg.eigh": "eigenvalues eigenvectors", "slogdet": "sign logabsdet",
    "linalg.slogdet": "sign logabsdet", "qr": "Q R", "linalg.lu_factor": "LU pivots#", "lu": "LU pivots#", "linalg.ldl_factor": "LD pivots#",
    "linalg.ldl_factor_ex": "LD pivots# info#", "linalg.solve_ex": "result info#", "linalg.lstsq": "solution residuals rank# singular_values~",
    "linalg.lu": "P~ L U", "lu_unpack": "P~ L U", "geqrf": "a tau", "native_layer_norm": "- -~ -~", "native_batch_norm": "- -~ -~",
    "_native_batch_norm_legit": "- -~ -~", "histogram": "hist~ bin_edges~", "histogramdd": "hist~ bin_edges*", "adaptive_max_pool1d": "- -#",
    "max_pool1d_with_indices": "- -#", "nn.functional.multi_head_attention_forward": "- -", "lstm": "- - -", "gru": "- -", "rnn_tanh": "- -",
    "rnn_relu": "- -", "lstm_cell": "- -", "linalg.inv_ex": "inverse info#", "embedding_bag": "- -# -# -#", "svd_lowrank": "- - -",
    "pca_lowrank": "- - -", "triangular_solve": "solution cloned_coefficient", "frexp": "mantissa exponent#",
}  # fmt: skip
"""The outputs of operations of which the tables don't tell all: `#` integers, `~` floats without history, `*` a list, `-` no name."""

OPTIONAL: Final = {"unique": ("return_inverse", "return_counts"), "unique_consecutive": ("return_inverse", "return_counts")}
"""Operations that give a tuple of integers beside their result when one of these is true."""

POOLS: Final = {
    "max_pool1d": 6, "max_pool2d": 6, "max_pool3d": 6, "adaptive_max_pool1d": 2, "adaptive_max_pool2d": 2, "adaptive_max_pool3d": 2,
    "fractional_max_pool2d": 4, "fractional_max_pool3d": 4,
}  # fmt: skip
"""Functions of torch.nn.functional that give (values, indices) when `return_indices` is true, and which positional argument that is."""

DROPOUTS: Final = {"dropout": True, "dropout1d": True, "dropout2d": True, "dropout3d": True, "alpha_dropout": False, "feature_alpha_dropout": False}
"""Functions that hand their operand back where `training` is false or `p` is 0, and what `training` is where it is not given."""

COMPARED: Final = {"nn.functional.hinge_embedding_loss": 1, "nn.functional.cosine_embedding_loss": 2}
"""Losses that only compare their target, and which positional argument it is: the result is not live by it."""

FLOATS: Final = frozenset(
    "angle float_power ldexp logit mvlgamma polygamma special.polygamma corrcoef cov trapz trapezoid cumulative_trapezoid gradient"
    " divide div div_ divide_ masked.std masked.var softmin nn.functional.softmin nn.functional.local_response_norm nn.functional.pairwise_distance"
    " nn.functional.margin_ranking_loss nn.functional.triplet_margin_loss nn.functional.cosine_embedding_loss nn.functional.softsign"
    " nn.functional.tanhshrink nn.functional.poisson_nll_loss"
    " arccos arccosh arcsin arcsinh arctan arctan2 arctanh special.digamma special.psi special.erf special.erfc special.erfinv special.exp2"
    " special.expit special.expm1 special.i0 special.log1p special.logsumexp special.xlogy special.sinc special.gammaln special.gammainc"
    " special.gammaincc".split()
)
"""Operations that give floats of integers, beside those of which torch's reference implementations say so (operators.gives_float)."""

ITSELF: Final = frozenset(
    "conj real resolve_conj resolve_neg flatten conj_physical positive atleast_1d atleast_2d atleast_3d cartesian_prod masked.prod masked.sum"
    " masked.amax masked.amin diff nn.functional.local_response_norm".split()
)
"""Operations that of some operands (real ones, those that have the shape already) give the operand itself."""

AT_LEAST: Final = frozenset(("atleast_1d", "atleast_2d", "atleast_3d"))
"""Functions that give of one tensor a view or itself, and of several a tuple of such."""

INTEGER_TYPES: Final = frozenset("long int int8 int16 int32 int64 bool uint8 uint16 uint32 uint64 short".split())
FLOAT_TYPES: Final = frozenset(
    "float float16 float32 float64 double half bfloat16 complex32 complex64 complex128 cfloat cdouble chalf".split()
)
CONSTANTS: Final = frozenset(
    f"torch.{name}"
    for name in (
        *INTEGER_TYPES, *FLOAT_TYPES, "strided", "sparse_coo", "sparse_csr", "contiguous_format", "preserve_format", "channels_last", "channels_last_3d"
    )
)  # fmt: skip
"""What is below torch and no operand: dtypes, layouts, memory formats."""


@cache
def of(name: str) -> tuple[Output, ...]:
    """The outputs of an operation that has several; of any other, none."""
    if name in COMPOSED:
        return tuple(_output(word) for word in COMPOSED[name].split())
    found = operators.row(name)
    if name in OPTIONAL or len(found.outputs) < 2 or set(found.outputs) - set("TFN"):
        return ()
    fields = found.fields or ("",) * len(found.outputs)
    return tuple(Output(field, mark != "F", mark == "F") for field, mark in zip(fields, found.outputs))


def _output(word: str) -> Output:
    return Output(word.rstrip("#~*").replace("-", ""), word[-1] not in "#~", word.endswith("#"), word.endswith("*"))


def gives_float(name: str) -> bool:
    """Whether an operation gives floats also of integers."""
    bare = name.removeprefix("nn.functional.")
    return name in FLOATS or operators.gives_float(bare) or (name.startswith("fft.") and not name.endswith("shift"))


def dtype_of(names: frozenset[str]) -> bool | None:
    """Whether what has these names is a dtype of floats (True) or of integers (False); None for anything else."""
    last = {name.rpartition(".")[2] for name in names if name.startswith("torch.")}
    if last and last <= FLOAT_TYPES:
        return True
    return False if last and last <= INTEGER_TYPES else None
