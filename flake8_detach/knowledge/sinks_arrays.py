"""Sinks that want an array: NumPy, SciPy, pandas, scikit-learn, images. They convert a tensor implicitly, and that raises for a live one.

Here: which calls convert, which refuse every tensor, and which leave it alone. Not here: plots (`sinks_plots`). All of these are legal
while gradients are disabled. Names are listed one by one as measured: no pattern stands for a package's future functions.
"""

from __future__ import annotations

from typing import Final

from .sink import CONVERTS, HARMLESS, REFUSES, Group, Role, at, every

ARRAY: Final = Role.ARRAY
_NUMPY: Final = "measured, numpy 2.4, torch 2.13"
_SCIPY: Final = "measured, scipy 1.17"
_SKLEARN: Final = "measured, scikit-learn 1.9"
_PANDAS: Final = "measured, pandas 3.1"

_UFUNCS: Final = (
    "abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh cbrt ceil conj conjugate"
    " copysign cos cosh deg2rad degrees divide divmod equal exp exp2 expm1 fabs float_power floor floor_divide fmax fmin fmod frexp greater"
    " greater_equal heaviside hypot isfinite isinf isnan ldexp less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and"
    " logical_not logical_or logical_xor matmul matvec maximum minimum mod modf multiply negative nextafter not_equal positive pow power"
    " rad2deg radians reciprocal remainder rint sign signbit sin sinh spacing sqrt square subtract tan tanh true_divide trunc vecdot vecmat"
)
_TYPES: Final = (
    "bool bool_ byte cdouble clongdouble complex128 complex64 csingle float16 float32 half int16 int32 int64 int8 int_ intc intp long"
    " longdouble longlong short single ubyte uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong ushort"
)
_FUNCTIONS: Final = (
    "allclose angle append apply_along_axis arange argmax argmin argpartition argsort argwhere around array array2string array_repr array_str"
    " asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix atleast_1d atleast_2d atleast_3d average bincount"
    " broadcast_arrays broadcast_to choose clip column_stack compress convolve copy copyto corrcoef correlate cov cross cumprod cumsum"
    " cumulative_prod cumulative_sum delete diag diagflat diagonal diff digitize dot dstack ediff1d einsum empty_like expand_dims extract"
    " fill_diagonal fix flatnonzero fliplr flipud full full_like geomspace gradient histogram histogram2d histogram_bin_edges histogramdd"
    " hstack i0 inner insert interp intersect1d iscomplex iscomplexobj isclose isin isneginf isposinf isrealobj kron linspace logspace"
    " matrix matrix_transpose median meshgrid nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin"
    " nanpercentile nanprod nanquantile nanstd nansum nanvar nditer ndenumerate ones_like outer pad partition percentile permute_dims"
    " piecewise place poly polyadd polyder polydiv polyfit polyint polymul polysub polyval ptp put put_along_axis putmask quantile ravel"
    " real_if_close repeat require reshape resize roll roots rot90 round row_stack save savez savez_compressed savetxt searchsorted select"
    " setdiff1d setxor1d sinc sort sort_complex stack take tensordot tile trace transpose trapezoid trapz trim_zeros tril triu union1d unique"
    " unique_all unique_counts unique_inverse unique_values unwrap vander vdot vstack where zeros_like in1d product cumproduct"
)
_LINALG: Final = (
    "cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm matrix_power matrix_rank matrix_transpose"
    " multi_dot norm outer pinv qr slogdet solve svd svdvals tensordot tensorinv tensorsolve trace vecdot vector_norm"
)
_FFT: Final = "fft fft2 fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn rfft rfft2 rfftn"
_RANDOM: Final = (
    "beta binomial chisquare choice dirichlet exponential f gamma geometric gumbel laplace logistic lognormal logseries multinomial"
    " multivariate_normal negative_binomial noncentral_chisquare noncentral_f normal pareto permutation poisson power rayleigh"
    " standard_gamma standard_t triangular uniform vonmises wald weibull zipf"
)

_SKLEARN_METRICS: Final = (
    "accuracy_score auc average_precision_score balanced_accuracy_score brier_score_loss classification_report cohen_kappa_score"
    " confusion_matrix explained_variance_score f1_score fbeta_score hamming_loss hinge_loss jaccard_score log_loss matthews_corrcoef"
    " max_error mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_log_error median_absolute_error"
    " ndcg_score normalized_mutual_info_score adjusted_rand_score precision_recall_curve precision_recall_fscore_support precision_score"
    " r2_score recall_score roc_auc_score roc_curve root_mean_squared_error silhouette_score top_k_accuracy_score zero_one_loss"
    " pairwise_distances"
)

TABLE: Final = (
    Group("numpy", every(_UFUNCS), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy", every(_TYPES), ARRAY, CONVERTS, _NUMPY),
    Group("numpy", every(_FUNCTIONS), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy.linalg", every(_LINALG), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy.fft", every(_FFT), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("numpy.random numpy.random.Generator", every(_RANDOM), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    # These call the tensor's own method of the same name with NumPy's keywords; a list has no such method and is converted.
    Group(
        "numpy",
        every("all amax amin any concat concatenate imag isreal lexsort max mean min prod std sum var"),
        Role.TYPE_ERROR,
        "calls the tensor's own method with NumPy's keywords, which torch refuses; a list is converted, which raises for a live tensor",
        _NUMPY,
        inner=ARRAY,
    ),
    Group("numpy", every("flip moveaxis rollaxis astype block frombuffer common_type"), Role.TYPE_ERROR, REFUSES, _NUMPY),
    Group("numpy", every("squeeze real swapaxes take_along_axis split array_split hsplit vsplit dsplit"), Role.INERT, HARMLESS, _NUMPY, passes=True),
    Group("numpy", every("shape ndim size isscalar iterable nonzero count_nonzero result_type"), Role.INERT, HARMLESS, _NUMPY),
    Group("numpy", every("array_equal array_equiv"), ARRAY, "swallows the error of the conversion and answers False", _NUMPY, inner=ARRAY),
    Group("numpy", every("r_ c_"), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group(
        "numpy.testing",
        every(
            "assert_allclose assert_almost_equal assert_approx_equal assert_array_almost_equal assert_array_equal assert_array_less assert_equal"
        ),
        ARRAY,
        CONVERTS,
        _NUMPY,
        inner=ARRAY,
    ),
    Group("numpy.ndarray", every("dot put clip searchsorted"), ARRAY, CONVERTS, _NUMPY, inner=ARRAY),
    Group("scipy.stats", every("pearsonr spearmanr entropy ttest_ind mode"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.stats.norm", every("pdf cdf"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.optimize", every("linear_sum_assignment"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.spatial.distance", every("cdist cosine"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.special", every("softmax expit"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.signal", every("savgol_filter"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.ndimage", every("gaussian_filter"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.io", at((1, "mdict"), "savemat"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.interpolate", every("interp1d"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("sklearn.metrics", every(_SKLEARN_METRICS), ARRAY, CONVERTS, _SKLEARN, inner=ARRAY),
    Group("sklearn.metrics.pairwise", every("cosine_similarity"), ARRAY, CONVERTS, _SKLEARN, inner=ARRAY),
    Group("sklearn.model_selection", every("train_test_split"), Role.INERT, HARMLESS, _SKLEARN, passes=True),
    Group(
        "sklearn",
        every("fit fit_transform fit_predict partial_fit predict predict_proba transform score decision_function inverse_transform"),
        ARRAY,
        CONVERTS,
        _SKLEARN,
        inner=ARRAY,
    ),
    Group("pandas", at((0, "data"), "DataFrame Series"), ARRAY, CONVERTS + "; scalars in a list are kept with their graphs", _PANDAS, inner=Role.KEEPS),
    Group("PIL.Image", at((0, "obj"), "fromarray"), Role.TYPE_ERROR, REFUSES, "measured, pillow 11.3"),
    Group("cv2", every("imwrite resize cvtColor rectangle GaussianBlur imshow"), Role.TYPE_ERROR, REFUSES, "measured, opencv 5.0"),
    Group("imageio imageio.v2", at((1, "image", "im", "ims"), "imwrite imsave mimwrite mimsave"), ARRAY, CONVERTS, "measured, imageio 2.38", inner=ARRAY),
    Group("skimage.io", at((1, "arr"), "imsave"), ARRAY, CONVERTS, "measured, scikit-image 0.26"),
    Group("h5py.Group", at((1, 3, "data"), "create_dataset"), ARRAY, CONVERTS, "measured, h5py 3.16", inner=ARRAY),
    Group("h5py.Dataset", at((1,), "__setitem__"), ARRAY, CONVERTS, "measured, h5py 3.16", inner=ARRAY),
    Group("torchvision.utils", every("save_image make_grid draw_bounding_boxes flow_to_image"), Role.INERT, HARMLESS, "measured, torchvision 0.28"),
    Group("torchvision.transforms.functional", every("to_pil_image"), Role.INERT, HARMLESS, "measured, torchvision 0.28"),
)
