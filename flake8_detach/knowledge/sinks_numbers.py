"""Sinks that want one number: float() is called on what they are given, and warns for a live tensor since torch 2.8.

Here: the standard library, torch itself, NumPy's scalar types, tables of numbers. Not here: trackers that call float() inside
(`sinks_trackers`: a log is what the user meant), and the `%f` of a format, which is read in the format string.
"""

from __future__ import annotations

from typing import Final

from .sink import HARMLESS, REFUSES, WARNS, Group, Role, at, every

NUMBER: Final = Role.NUMBER
REFUSAL: Final = Role.TYPE_ERROR
_SOURCE: Final = "measured, Python 3.11, torch 2.13"
_NUMPY: Final = "measured, numpy 2.4"
_OLD_NUMPY: Final = "measured, numpy 1.26"

TABLE: Final = (
    Group("builtins", every("float complex"), NUMBER, WARNS, _SOURCE),
    Group("builtins", every("int bool len hash id type isinstance"), Role.INERT, HARMLESS, _SOURCE),
    Group("builtins", every("round divmod range bytes bytearray"), REFUSAL, REFUSES, _SOURCE),
    Group(
        "math",
        every(
            "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees erf erfc exp exp2 expm1 fabs floor fmod frexp"
            " gamma hypot isclose isfinite isinf isnan ldexp lgamma log log10 log1p log2 modf nextafter pow radians remainder sin sinh"
            " sqrt tan tanh ulp"
        ),
        NUMBER,
        WARNS,
        _SOURCE,
    ),
    Group("math", every("dist fsum"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("math", every("comb factorial gcd isqrt lcm perm trunc"), REFUSAL, REFUSES, _SOURCE),
    Group("math", every("prod"), Role.INERT, HARMLESS, _SOURCE, passes=True),
    Group("cmath", every("acos asin atan cos cosh exp isfinite isinf isnan log log10 phase polar sin sinh sqrt"), NUMBER, WARNS, _SOURCE),
    Group("statistics", at((0, "data"), "fmean"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("statistics", at((0, "data"), "mean pstdev pvariance stdev variance"), REFUSAL, REFUSES, _SOURCE, inner=REFUSAL),
    Group("statistics", at((0, "data"), "median median_low median_high"), Role.INERT, HARMLESS, _SOURCE, passes=True),
    Group("random", at((1, "weights", "cum_weights"), "choices"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("random", every("uniform gauss"), Role.INERT, HARMLESS, _SOURCE, passes=True),
    Group("struct", every("pack"), NUMBER, WARNS, _SOURCE),
    Group("array", at((1,), "array"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("decimal", every("Decimal"), REFUSAL, REFUSES, _SOURCE),
    Group("fractions", every("Fraction"), REFUSAL, REFUSES, _SOURCE),
    Group("datetime", every("timedelta"), REFUSAL, REFUSES, _SOURCE),
    Group("time", every("sleep"), REFUSAL, REFUSES, _SOURCE),
    Group("torch.optim.lr_scheduler.ReduceLROnPlateau", at((0, "metrics"), "step"), NUMBER, WARNS, _SOURCE),
    # A 0-dim tensor is a number here; a vector is converted to an array, which raises.
    Group("numpy", at((0,), "float64 double format_float_positional format_float_scientific"), NUMBER, WARNS, _NUMPY),
    Group("numpy", at((0,), "float_"), NUMBER, WARNS, _OLD_NUMPY),
    Group("numpy", at((0, "iter"), "fromiter"), NUMBER, WARNS, _NUMPY, inner=NUMBER),
    Group("numpy.ndarray", at((0, "value"), "fill"), NUMBER, WARNS, _NUMPY),
    Group("numpy.ndarray", at((1,), "__setitem__"), NUMBER, WARNS, _NUMPY),
    Group("numpy.ndarray", at((1,), "itemset"), NUMBER, WARNS, _OLD_NUMPY),
    Group("polars", at((0, 1, "data", "values"), "DataFrame Series"), Role.ARRAY, WARNS, "measured, polars 2.1", inner=NUMBER),
    Group("tabulate", at((0, "tabular_data"), "tabulate"), NUMBER, WARNS, "measured, tabulate 0.10", inner=NUMBER),
    Group("scipy.integrate", at((0, 1, 2, "a", "b"), "quad"), NUMBER, WARNS, "measured, scipy 1.17"),
)
