"""Sinks of the packages built on NumPy: SciPy, scikit-learn, statsmodels, scikit-image. Nearly all convert, which raises for a live tensor.

Here: functions as measured, and the methods that every estimator shares. Not here: NumPy itself (`sinks_arrays`).
"""

from __future__ import annotations

from typing import Final

from .sink import CONVERTS, HARMLESS, REFUSES, Group, Role, at, every

ARRAY: Final = Role.ARRAY
_SCIPY: Final = "measured, scipy 1.17"
_SKLEARN: Final = "measured, scikit-learn 1.9"
_SKIMAGE: Final = "measured, scikit-image 0.26"

_SPECIAL: Final = (
    "airy beta betainc betaincinv betaln binom boxcox boxcox1p cbrt comb digamma ellipe ellipk entr erf erfc erfcinv erfcx erfi erfinv"
    " exp1 exp10 exp2 expi expit expm1 expn exprel factorial fresnel gamma gammainc gammaincc gammaincinv gammaln gammasgn huber i0 i0e"
    " i1 i1e inv_boxcox iv ive j0 j1 jn jv k0 k0e k1 k1e kl_div kn kv lambertw log1p log_expit log_ndtr log_softmax loggamma logit"
    " logsumexp multigammaln ndtr ndtri owens_t perm poch polygamma pseudo_huber psi rel_entr rgamma softmax softplus spence stdtr"
    " stdtrit voigt_profile wofz xlog1py xlogy y0 y1 yn yv zeta"
)
_STATS: Final = (
    "alexandergovern anderson anderson_ksamp ansari bartlett bayes_mvs binned_statistic binned_statistic_2d binned_statistic_dd boxcox"
    " brunnermunzel chi2_contingency chisquare circmean circstd circvar combine_pvalues cramervonmises cramervonmises_2samp cumfreq"
    " describe differential_entropy ecdf energy_distance entropy f_oneway fisher_exact fligner friedmanchisquare gaussian_kde gmean gstd"
    " gzscore hmean iqr jarque_bera kendalltau kruskal ks_2samp kstat kstest kurtosis kurtosistest levene linregress mannwhitneyu"
    " median_abs_deviation median_test mode moment mood normaltest pearsonr percentileofscore pmean pointbiserialr power_divergence"
    " probplot rankdata ranksums relfreq scoreatpercentile sem shapiro siegelslopes sigmaclip skew skewtest somersd spearmanr"
    " theilslopes tmax tmean tmin trim1 trim_mean tsem tstd ttest_1samp ttest_ind ttest_rel tukey_hsd tvar variation"
    " wasserstein_distance wasserstein_distance_nd weightedtau wilcoxon yeojohnson zmap zscore"
)
_CONTINUOUS: Final = (
    "scipy.stats.beta scipy.stats.chi2 scipy.stats.expon scipy.stats.gamma scipy.stats.laplace scipy.stats.lognorm scipy.stats.norm"
    " scipy.stats.t scipy.stats.uniform"
)
_DISCRETE: Final = "scipy.stats.binom scipy.stats.poisson"
_LINALG: Final = (
    "block_diag cho_factor cholesky circulant cosm cossin det eig eig_banded eigh eigvals eigvalsh expm expm_frechet"
    " fractional_matrix_power hankel hessenberg inv ishermitian issymmetric khatri_rao ldl logm lstsq lu lu_factor norm null_space orth"
    " orthogonal_procrustes pinv pinvh polar qr qz rq schur signm sinm solve solve_circulant solve_continuous_lyapunov"
    " solve_discrete_lyapunov solve_toeplitz solve_triangular solveh_banded sqrtm subspace_angles svd svdvals tanm toeplitz"
)
_FFT: Final = (
    "dct dctn dst dstn fft fft2 fftn fftshift hfft hfft2 hfftn idct idctn idst idstn ifft ifft2 ifftn ifftshift ihfft irfft irfft2"
    " irfftn rfft rfft2 rfftn"
)
_SIGNAL: Final = (
    "choose_conv_method coherence convolve convolve2d correlate correlate2d csd cspline1d czt decimate deconvolve detrend fftconvolve"
    " find_peaks find_peaks_cwt freqz hilbert hilbert2 istft lfilter lombscargle medfilt medfilt2d oaconvolve periodogram resample"
    " resample_poly savgol_filter sosfilt spectrogram stft upfirdn welch wiener"
)
_NDIMAGE: Final = (
    "affine_transform binary_closing binary_dilation binary_erosion binary_fill_holes binary_opening black_tophat center_of_mass"
    " convolve convolve1d correlate correlate1d distance_transform_bf distance_transform_edt gaussian_filter gaussian_filter1d"
    " gaussian_gradient_magnitude gaussian_laplace generic_filter grey_dilation grey_erosion histogram label laplace map_coordinates"
    " maximum maximum_filter maximum_filter1d mean median median_filter minimum_filter percentile_filter prewitt rank_filter rotate"
    " shift sobel spline_filter standard_deviation sum sum_labels uniform_filter uniform_filter1d variance white_tophat zoom"
)
_DISTANCE: Final = (
    "braycurtis canberra cdist chebyshev cityblock correlation cosine dice directed_hausdorff euclidean hamming jaccard jensenshannon"
    " mahalanobis minkowski pdist rogerstanimoto russellrao seuclidean sokalsneath squareform yule"
)
_METRICS: Final = (
    "accuracy_score adjusted_mutual_info_score adjusted_rand_score average_precision_score balanced_accuracy_score brier_score_loss"
    " calinski_harabasz_score class_likelihood_ratios classification_report cohen_kappa_score completeness_score confusion_matrix"
    " d2_absolute_error_score d2_pinball_score d2_tweedie_score davies_bouldin_score dcg_score det_curve euclidean_distances"
    " explained_variance_score f1_score fowlkes_mallows_score hamming_loss hinge_loss homogeneity_completeness_v_measure"
    " homogeneity_score jaccard_score log_loss matthews_corrcoef max_error mean_absolute_error mean_absolute_percentage_error"
    " mean_gamma_deviance mean_pinball_loss mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance"
    " median_absolute_error multilabel_confusion_matrix mutual_info_score nan_euclidean_distances ndcg_score"
    " normalized_mutual_info_score pairwise_distances pairwise_distances_argmin pairwise_distances_argmin_min pairwise_kernels"
    " precision_recall_curve precision_recall_fscore_support precision_score r2_score rand_score recall_score roc_auc_score roc_curve"
    " root_mean_squared_error root_mean_squared_log_error silhouette_samples silhouette_score top_k_accuracy_score v_measure_score"
    " zero_one_loss"
)
_PAIRWISE: Final = (
    "additive_chi2_kernel chi2_kernel cosine_distances cosine_similarity euclidean_distances laplacian_kernel linear_kernel"
    " manhattan_distances paired_cosine_distances paired_distances paired_euclidean_distances pairwise_distances pairwise_kernels"
    " polynomial_kernel rbf_kernel sigmoid_kernel"
)
_ESTIMATOR: Final = (
    "decision_function fit fit_predict fit_transform inverse_transform kneighbors partial_fit predict predict_log_proba predict_proba"
    " score score_samples transform"
)

TABLE: Final = (
    Group("scipy.special", every(_SPECIAL), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.stats", every(_STATS), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group(_CONTINUOUS, every("cdf fit logcdf logpdf pdf ppf rvs sf"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group(_DISCRETE, every("cdf logpmf pmf ppf rvs sf"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.stats.multivariate_normal", every("cdf logpdf pdf rvs"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.linalg", every(_LINALG), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.fft", every(_FFT), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.signal", every(_SIGNAL), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.signal", every("argrelextrema argrelmax argrelmin envelope"), Role.TYPE_ERROR, REFUSES, _SCIPY),
    Group("scipy.ndimage", every(_NDIMAGE), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.spatial.distance", every(_DISTANCE), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.spatial.distance", every("sqeuclidean"), Role.TYPE_ERROR, REFUSES, _SCIPY),
    Group("scipy.spatial", every("ConvexHull Delaunay KDTree cKDTree distance_matrix procrustes"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.spatial.KDTree", at((0, "x"), "query query_ball_point"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.spatial.transform.Rotation", every("from_euler from_matrix from_quat from_rotvec"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.integrate", every("cumulative_simpson cumulative_trapezoid simpson trapezoid"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.integrate", at((1, 2, "y0", "t"), "odeint solve_ivp"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group(
        "scipy.interpolate",
        every(
            "CubicSpline PchipInterpolator RBFInterpolator RegularGridInterpolator UnivariateSpline barycentric_interpolate griddata"
            " interp1d interpn krogh_interpolate lagrange make_interp_spline splprep splrep"
        ),
        ARRAY,
        CONVERTS,
        _SCIPY,
        inner=ARRAY,
    ),
    Group("scipy.optimize", every("linear_sum_assignment linprog lsq_linear milp nnls"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group(
        "scipy.optimize",
        at((1, 2, "x0", "xdata", "ydata", "p0"), "curve_fit fmin fmin_l_bfgs_b fsolve least_squares minimize root"),
        ARRAY,
        CONVERTS,
        _SCIPY,
        inner=ARRAY,
    ),
    Group("scipy.cluster.vq", every("kmeans kmeans2 vq whiten"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.cluster.hierarchy", every("fclusterdata linkage"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.sparse", at((0, "arg1"), "coo_matrix coo_array"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group(
        "scipy.sparse",
        at((0, "arg1"), "csc_array csc_matrix csr_array csr_matrix"),
        ARRAY,
        "fails to convert it to a NumPy array and calls it an unrecognized input",
        _SCIPY,
        inner=ARRAY,
    ),
    Group("scipy.io", at((1, 2, "mdict", "a"), "mmwrite savemat"), ARRAY, CONVERTS, _SCIPY, inner=ARRAY),
    Group("scipy.io.wavfile", at((2, "data"), "write"), Role.TYPE_ERROR, REFUSES, _SCIPY),
    Group("sklearn.metrics", every(_METRICS), ARRAY, CONVERTS, _SKLEARN, inner=ARRAY),
    Group("sklearn.metrics.pairwise", every(_PAIRWISE), ARRAY, CONVERTS, _SKLEARN, inner=ARRAY),
    Group(
        "sklearn.preprocessing",
        every("binarize maxabs_scale minmax_scale normalize power_transform quantile_transform robust_scale scale"),
        ARRAY,
        CONVERTS,
        _SKLEARN,
        inner=ARRAY,
    ),
    Group("sklearn.utils", every("check_X_y check_array column_or_1d"), ARRAY, CONVERTS, _SKLEARN, inner=ARRAY),
    Group("sklearn.utils", every("resample shuffle"), Role.INERT, HARMLESS, _SKLEARN, passes=True),
    Group("sklearn.model_selection", every("train_test_split"), Role.INERT, HARMLESS, _SKLEARN, passes=True),
    # Measured on the estimators of `all_estimators()`; what ignores `y` ignores a live one, and only dummies ignore `X`.
    Group("sklearn", at((0, 1, "X", "y"), _ESTIMATOR), ARRAY, CONVERTS, _SKLEARN, inner=ARRAY),
    Group("statsmodels.api", every("Logit OLS add_constant qqplot"), ARRAY, CONVERTS, "measured, statsmodels 0.15", inner=ARRAY),
    Group("skimage.color", at((0,), "gray2rgb rgb2gray rgb2hsv rgb2lab"), ARRAY, CONVERTS, _SKIMAGE),
    Group("skimage skimage.util", at((0,), "img_as_float img_as_ubyte"), ARRAY, CONVERTS, _SKIMAGE),
    Group("skimage.util", at((0,), "random_noise"), ARRAY, CONVERTS, _SKIMAGE),
    Group("skimage.transform", at((0,), "rotate warp"), ARRAY, CONVERTS, _SKIMAGE),
    Group("skimage.transform", at((0,), "rescale resize"), Role.TYPE_ERROR, REFUSES, _SKIMAGE),
    Group("skimage.io", at((1, "arr"), "imsave"), ARRAY, CONVERTS, _SKIMAGE),
    Group("skimage.measure", at((0,), "label"), ARRAY, CONVERTS, _SKIMAGE),
    Group("skimage.segmentation", at((0,), "slic"), ARRAY, CONVERTS, _SKIMAGE),
    Group(
        "skimage.metrics",
        every("mean_squared_error normalized_root_mse peak_signal_noise_ratio structural_similarity"),
        Role.TYPE_ERROR,
        REFUSES,
        _SKIMAGE,
    ),
)
