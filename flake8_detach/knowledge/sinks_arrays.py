"""Sinks that want an array: NumPy, tables, images, array files. They convert a tensor implicitly, and that raises for a live one.

Here: which calls convert, which refuse every tensor, which leave it alone. Not here: SciPy and scikit-learn (`sinks_science`), plots
(`sinks_plots`). What converts is legal while gradients are disabled. Names are listed as measured: no pattern stands for future ones.
"""

from __future__ import annotations

from typing import Final

from .sink import CONVERTS, HARMLESS, REFUSES, Group, Role, at, every

ARRAY: Final = Role.ARRAY
_NUMPY: Final = "measured, numpy 2.4 and 1.26, torch 2.13"
_OLD: Final = "measured, numpy 1.26"
_PANDAS: Final = "measured, pandas 3.1"
_OPENCV: Final = "measured, opencv-python-headless 5.0"
_IMAGEIO: Final = "measured, imageio 2.38"
_H5PY: Final = "measured, h5py 3.16"
_TORCHVISION: Final = "measured, torchvision 0.28"
_OWN_METHOD: Final = "calls the tensor's own method with NumPy's keywords, which torch refuses"

_UFUNCS: Final = (
    "abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh cbrt ceil conj"
    " conjugate copysign cos cosh deg2rad degrees divide divmod equal exp exp2 expm1 fabs float_power floor floor_divide fmax fmin fmod"
    " frexp greater greater_equal heaviside hypot isfinite isinf isnan ldexp less less_equal log log10 log1p log2 logaddexp logaddexp2"
    " logical_and logical_not logical_or logical_xor matmul matvec maximum minimum mod modf multiply negative nextafter not_equal"
    " positive pow power rad2deg radians reciprocal remainder rint sign signbit sin sinh spacing sqrt square subtract tan tanh"
    " true_divide trunc vecdot vecmat"
)
_TYPES: Final = (
    "bool bool_ byte cdouble clongdouble complex128 complex64 csingle float16 float32 half int16 int32 int64 int8 int_ intc intp long"
    " longdouble longlong short single ubyte uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong ushort"
)
_FUNCTIONS: Final = (
    "allclose angle append apply_along_axis arange argmax argmin argpartition argsort around array array2string array_repr array_str"
    " asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix atleast_1d atleast_2d atleast_3d average bincount"
    " broadcast_arrays broadcast_to choose clip column_stack compress convolve copy copyto corrcoef correlate count_nonzero cov cross"
    " cumprod cumsum cumulative_prod cumulative_sum delete diag diagflat diagonal diff digitize dot dstack ediff1d einsum empty_like"
    " expand_dims extract fill_diagonal fix flatnonzero fliplr flipud full full_like geomspace gradient histogram histogram2d"
    " histogram_bin_edges histogramdd hstack i0 inner insert interp intersect1d iscomplex iscomplexobj isclose isin isneginf isposinf"
    " isrealobj kron linspace logspace matrix matrix_transpose median meshgrid nan_to_num nanargmax nanargmin nancumprod nancumsum"
    " nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar ndenumerate nditer ones_like outer pad"
    " partition percentile permute_dims place poly polyadd polyder polydiv polyfit polyint polymul polysub polyval ptp put"
    " put_along_axis putmask quantile ravel real_if_close repeat require reshape resize roll roots rot90 round row_stack save savetxt"
    " savez savez_compressed searchsorted select setdiff1d setxor1d sinc sort sort_complex stack take tensordot tile trace transpose"
    " trapezoid tril trim_zeros triu union1d unique unique_all unique_counts unique_inverse unique_values unwrap vander vdot vstack"
    " where zeros_like c_ r_"
)
_LINALG: Final = (
    "cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm matrix_power matrix_rank matrix_transpose"
    " multi_dot norm outer pinv qr slogdet solve svd svdvals tensordot tensorinv tensorsolve trace vecdot vector_norm"
)
_FFT: Final = "fft fft2 fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn rfft rfft2 rfftn"
_RANDOM: Final = (
    "beta binomial chisquare choice dirichlet exponential f gamma geometric gumbel laplace logistic lognormal logseries multinomial"
    " multivariate_normal negative_binomial noncentral_chisquare noncentral_f normal pareto permutation poisson power rayleigh"
    " standard_gamma standard_t triangular uniform vonmises wald weibull"
)
_ASSERTIONS: Final = "assert_allclose assert_almost_equal assert_array_almost_equal assert_array_equal assert_array_less assert_equal"

TABLE: Final = (
    Group("numpy", every(_UFUNCS), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy", at((0,), _TYPES), ARRAY, CONVERTS, _NUMPY),
    Group("numpy", every(_FUNCTIONS), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy", every("cumproduct in1d msort round_ trapz"), ARRAY, CONVERTS, _OLD, inner=ARRAY),
    Group("numpy.linalg", every(_LINALG), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy.fft", every(_FFT), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy.random numpy.random.Generator", every(_RANDOM), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy.testing", every(_ASSERTIONS), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy.ndarray", every("clip dot put searchsorted"), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy", every("array_equal array_equiv"), ARRAY, "swallows the error of the conversion and answers False", _NUMPY),
    # A list has no method of that name: it is converted, which raises for a live tensor in it.
    Group("numpy", every("all amax amin any lexsort max mean min prod std sum var"), Role.TYPE_ERROR, _OWN_METHOD, _NUMPY, inner=ARRAY),
    Group("numpy", every("alltrue product sometrue"), Role.TYPE_ERROR, _OWN_METHOD, _OLD, inner=ARRAY),
    Group("numpy", every("concat concatenate imag isreal"), Role.TYPE_ERROR, REFUSES, _NUMPY, inner=ARRAY),
    Group("numpy", every("flip moveaxis rollaxis"), Role.TYPE_ERROR, _OWN_METHOD, _NUMPY, inner=ARRAY),
    Group("numpy", every("astype block common_type frombuffer result_type unstack"), Role.TYPE_ERROR, REFUSES, _NUMPY),
    Group("numpy", every("array_split dsplit hsplit split vsplit"), Role.INERT, HARMLESS, _NUMPY, passes=True),
    Group("numpy", every("real squeeze swapaxes take_along_axis"), Role.INERT, HARMLESS, _NUMPY, inner=ARRAY, passes=True),
    Group("numpy", every("argwhere ndim nonzero shape size"), Role.INERT, HARMLESS, _NUMPY, inner=ARRAY),
    Group("numpy", every("isscalar iterable"), Role.INERT, HARMLESS, _NUMPY),
    # A vector is converted; 0-dim tensors in a list become a column of dtype object, each with its graph.
    Group("pandas", at((0, "data"), "DataFrame Series"), ARRAY, CONVERTS, _PANDAS, inner=Role.KEEPS),
    Group("pandas.DataFrame", at((0, "data"), "from_dict from_records"), Role.KEEPS, "keeps it, graph and all", _PANDAS, inner=Role.KEEPS),
    Group("pandas", at((0, 1), "crosstab get_dummies to_datetime to_numeric"), ARRAY, CONVERTS, _PANDAS),
    Group("pandas", at((0,), "Index array cut factorize qcut unique"), Role.TYPE_ERROR, REFUSES, _PANDAS),
    Group("pandas", at((0, "obj"), "isna isnull notna notnull"), Role.INERT, HARMLESS, _PANDAS),
    Group("xarray", at((0, "data", "data_vars"), "DataArray Dataset"), ARRAY, CONVERTS, "measured, xarray 2026.9", inner=ARRAY),
    Group("PIL.Image", at((0, "obj"), "fromarray"), Role.TYPE_ERROR, REFUSES, "measured, pillow 11.3 and 12.3"),
    Group(
        "cv2",
        every(
            "Canny GaussianBlur Rodrigues addWeighted applyColorMap calcHist circle cvtColor flip hconcat imencode imshow imwrite merge"
            " normalize polylines putText rectangle remap resize threshold vconcat warpAffine warpPerspective"
        ),
        Role.TYPE_ERROR,
        REFUSES,
        _OPENCV,
        inner=Role.TYPE_ERROR,
    ),
    Group("imageio imageio.v2", at((1, "im"), "imsave"), ARRAY, CONVERTS, _IMAGEIO),
    Group("imageio imageio.v2 imageio.v3", at((1, "im", "image"), "imwrite"), ARRAY, CONVERTS, _IMAGEIO),
    Group("imageio imageio.v2", at((1, "ims"), "mimsave mimwrite"), ARRAY, CONVERTS, _IMAGEIO, inner=ARRAY),
    Group("h5py.Group", at((3, "data"), "create_dataset"), ARRAY, CONVERTS, _H5PY, inner=ARRAY),
    Group("h5py.Group h5py.Dataset h5py.AttributeManager", at((1,), "__setitem__"), ARRAY, CONVERTS, _H5PY, inner=ARRAY),
    Group("h5py.AttributeManager", at((1, "data"), "create"), ARRAY, CONVERTS, _H5PY, inner=ARRAY),
    Group("torchvision.utils", every("draw_bounding_boxes flow_to_image save_image"), Role.INERT, HARMLESS, _TORCHVISION),
    Group("torchvision.utils", every("make_grid"), Role.INERT, HARMLESS, _TORCHVISION, passes=True),
    Group("torchvision.transforms.functional", every("to_pil_image"), Role.INERT, HARMLESS, _TORCHVISION),
)
