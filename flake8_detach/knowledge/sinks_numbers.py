"""Sinks that want one number: float() is called on what they are given, and warns for a live tensor since torch 2.8.

Here: conversions of the standard library and of torch itself. Not here: trackers that call float() inside (`sinks_trackers`: a log is what
the user meant), and the `%f` of a format, which the interpreter reads in the format string.
"""

from __future__ import annotations

from typing import Final

from .sink import HARMLESS, REFUSES, WARNS, Group, Role, at, every

NUMBER: Final = Role.NUMBER
_SOURCE: Final = "measured, Python 3.11, torch 2.13"

TABLE: Final = (
    Group("builtins", every("float complex"), NUMBER, WARNS, _SOURCE),
    Group("builtins", every("int bool len hash id type isinstance"), Role.INERT, HARMLESS, _SOURCE),
    Group("builtins", every("round divmod range bytes bytearray"), Role.TYPE_ERROR, REFUSES, _SOURCE),
    Group(
        "math",
        every(
            "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees erf erfc exp exp2 expm1 fabs floor fmod frexp gamma"
            " hypot isclose isfinite isinf isnan ldexp lgamma log log10 log1p log2 modf nextafter pow radians remainder sin sinh sqrt tan"
            " tanh ulp"
        ),
        NUMBER,
        WARNS,
        _SOURCE,
    ),
    Group("math", every("dist fsum"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("math", every("comb factorial gcd isqrt lcm perm trunc"), Role.TYPE_ERROR, REFUSES, _SOURCE),
    Group("math", every("prod"), Role.INERT, HARMLESS, _SOURCE, passes=True),
    Group("cmath", every("acos asin atan cos cosh exp isfinite isinf isnan log log10 phase polar sin sinh sqrt tan tanh"), NUMBER, WARNS, _SOURCE),
    Group("statistics", at((0, "data"), "fmean"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("statistics", at((0, "data"), "mean pstdev pvariance stdev variance"), Role.TYPE_ERROR, REFUSES, _SOURCE, inner=Role.TYPE_ERROR),
    Group("statistics", at((0, "data"), "median median_low median_high"), Role.INERT, HARMLESS, _SOURCE, passes=True),
    Group("random", at((1, "weights", "cum_weights"), "choices"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("struct", every("pack"), NUMBER, WARNS, _SOURCE),
    Group("array", at((1,), "array"), NUMBER, WARNS, _SOURCE, inner=NUMBER),
    Group("decimal fractions datetime", every("Decimal Fraction timedelta"), Role.TYPE_ERROR, REFUSES, _SOURCE),
    Group("time", every("sleep"), Role.TYPE_ERROR, REFUSES, _SOURCE),
    Group("torch.optim.lr_scheduler.ReduceLROnPlateau", at((0, "metrics"), "step"), NUMBER, WARNS, _SOURCE),
    Group("numpy", every("float64 double format_float_positional format_float_scientific"), NUMBER, WARNS, "measured, numpy 2.4"),
    Group("numpy", at((0, "iter"), "fromiter"), NUMBER, WARNS, "measured, numpy 2.4", inner=NUMBER),
    Group("numpy.ndarray", at((0, "value"), "fill"), NUMBER, WARNS, "measured, numpy 2.4"),
    Group("numpy.ndarray", at((1,), "__setitem__"), NUMBER, WARNS + " (a vector is converted, which raises)", "measured, numpy 2.4"),
)
