"""Elementary functions that vectorise: exp, log and their relatives, one number at a time.

Numba turns ``math.exp`` and ``math.log`` into library calls, which keep a loop from being vectorised. These
functions are branch-free (every choice is a select between two values at hand), use only additions,
products, a division where needed and operations on bits, and are inlined by LLVM, so a loop that calls them
is vectorised as a whole.

The polynomials are minimax (Remez) in the sense named beside each. Errors are given in ulp of the true value,
where an ulp of a result below 2^-1022 is 2^-1074. The sign of a zero result is not promised.
"""

import math
import struct

from llvmlite import ir
from numba import float64, int64
from numba.extending import lower_builtin, type_callable

from emmd.kernels.compile.jit import scalar

__all__ = [
    "at_most_one",
    "exp",
    "exp_nonpositive",
    "expm1",
    "log",
    "log1p",
    "log1p_of_third",
    "log1p_unit",
    "sigmoid",
    "softplus",
    "twice_atanh_third",
]

_LOG2_E = 1.4426950408889634
# ln 2 in two parts: the high one ends in 21 zero bits, so k * high is exact for |k| < 2^21.
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
# Adding and subtracting 1.5 * 2^52 rounds to the nearest integer and leaves that integer, in two's
# complement, in the low bits of the sum; with the exponent's bias added, one shift makes 2^k of those bits.
_ROUND = 1.5 * 2.0**52 + 1023.0
_EXPONENT_SHIFT = 52
_MANTISSA = (1 << 52) - 1
_BITS_OF_SQRT_HALF = 0x3FE6A09E667F3BCD
_BITS_OF_ONE = 0x3FF << 52
# The mantissa of this number counts in units: an integer put there becomes a float without a conversion,
# which AVX2 does not have for 64-bit integers.
_BITS_OF_2_52 = 0x433 << 52
_SMALLEST_NORMAL = 2.0**-1022
# exp overflows beyond the first and rounds to zero below the second.
_EXP_HIGHEST, _EXP_LOWEST = 710.0, -746.0
# expm1 is -1 to the last bit below this.
_EXPM1_LOWEST = -40.0

# (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2, error 2^-60 in r^2 q(r) / e^r.
_Q0 = 0.5
_Q1 = float.fromhex("0x1.5555555555557p-3")
_Q2 = float.fromhex("0x1.555555555553cp-5")
_Q3 = float.fromhex("0x1.1111111110159p-7")
_Q4 = float.fromhex("0x1.6c16c16c23babp-10")
_Q5 = float.fromhex("0x1.a01a01abad2eep-13")
_Q6 = float.fromhex("0x1.a01a01579db7cp-16")
_Q7 = float.fromhex("0x1.71de02d4f2b1bp-19")
_Q8 = float.fromhex("0x1.27e5984982660p-22")
_Q9 = float.fromhex("0x1.af4cbb106eaa6p-26")
_Q10 = float.fromhex("0x1.1e37f18a6451ap-29")

# (2 atanh(s) - 2 s) / s^3 as a polynomial in s^2, |s| <= (sqrt 2 - 1) / (sqrt 2 + 1); error 2^-57 relative
# to 2 atanh(s).
_L0 = float.fromhex("0x1.5555555555558p-1")
_L1 = float.fromhex("0x1.9999999995223p-2")
_L2 = float.fromhex("0x1.2492492e03e54p-2")
_L3 = float.fromhex("0x1.c71c62d03b35bp-3")
_L4 = float.fromhex("0x1.7462ba29068a2p-3")
_L5 = float.fromhex("0x1.39fdb9220c050p-3")
_L6 = float.fromhex("0x1.2b5fc0c21f500p-3")

# The same on |s| <= 1/3, which is 1 <= (1 + s) / (1 - s) <= 2 and its inverse; error 2^-58.5.
_T0 = float.fromhex("0x1.5555555555535p-1")
_T1 = float.fromhex("0x1.99999999a06c4p-2")
_T2 = float.fromhex("0x1.2492492090f99p-2")
_T3 = float.fromhex("0x1.c71c741a1253bp-3")
_T4 = float.fromhex("0x1.745cb45825222p-3")
_T5 = float.fromhex("0x1.3b1dd3cc22709p-3")
_T6 = float.fromhex("0x1.10682d51f5a5ep-3")
_T7 = float.fromhex("0x1.efd1a431e9710p-4")
_T8 = float.fromhex("0x1.55cef8ecd3072p-4")
_T9 = float.fromhex("0x1.5c5c7772d4529p-3")


def _bits(x):
    """Bits of a float64 as a signed integer: plain Python here, one bitcast when compiled."""
    return struct.unpack("<q", struct.pack("<d", x))[0]


def _from_bits(i):
    """Float64 with the 64 low bits of ``i``: plain Python here, one bitcast when compiled."""
    return struct.unpack("<d", struct.pack("<Q", i & 0xFFFFFFFFFFFFFFFF))[0]


@type_callable(_bits)
def _type_bits(context):
    return lambda x: int64


@type_callable(_from_bits)
def _type_from_bits(context):
    return lambda i: float64


@lower_builtin(_bits, float64)
def _lower_bits(context, builder, signature, arguments):
    return builder.bitcast(arguments[0], ir.IntType(64))


@lower_builtin(_from_bits, int64)
def _lower_from_bits(context, builder, signature, arguments):
    return builder.bitcast(arguments[0], ir.DoubleType())


@scalar
def _power_of_two(k):
    """2^k for an integer-valued float k in [-1022, 1023]."""
    return _from_bits(_bits(k + _ROUND) << _EXPONENT_SHIFT)


@scalar
def _reduce(x):
    """Write x = k ln 2 + r with k an integer and |r| <= ln(2) / 2 (Cody and Waite)."""
    k = (x * _LOG2_E + _ROUND) - _ROUND
    return k, (x - k * _LN2_HIGH) - k * _LN2_LOW


@scalar
def _expm1_reduced(r):
    """e^r - 1 for |r| <= ln(2) / 2."""
    # Estrin's order: the chain of dependent operations is half of Horner's, at one product more.
    r2 = r * r
    r4 = r2 * r2
    low = (_Q0 + _Q1 * r) + r2 * (_Q2 + _Q3 * r)
    middle = (_Q4 + _Q5 * r) + r2 * (_Q6 + _Q7 * r)
    high = (_Q8 + _Q9 * r) + r2 * _Q10
    return r + r2 * (low + r4 * (middle + r4 * high))


@scalar
def _scale(y, k):
    """y 2^k in two steps, so that neither factor overflows and a subnormal result is rounded once."""
    half = (k * 0.5 + _ROUND) - _ROUND
    return y * _power_of_two(half) * _power_of_two(k - half)


@scalar
def exp(x):
    """e^x, within 1.1 ulp.

    Parameters
    ----------
    x : float
        Any number; NaN gives NaN.

    Returns
    -------
    float
        0 below about -745.13 and inf above about 709.78, subnormal where e^x is.
    """
    x = float(x)
    x = _EXP_LOWEST if x < _EXP_LOWEST else x
    x = _EXP_HIGHEST if x > _EXP_HIGHEST else x
    k, r = _reduce(x)
    return _scale(1.0 + _expm1_reduced(r), k)


@scalar
def exp_nonpositive(x):
    """e^x for x <= 0, within 1.1 ulp: what cannot overflow is scaled in one step.

    Parameters
    ----------
    x : float
        A number of at most 0; NaN gives NaN.

    Returns
    -------
    float
        0 below about -745.13, subnormal where e^x is.
    """
    x = float(x)
    x = _EXP_LOWEST if x < _EXP_LOWEST else x
    k, r = _reduce(x)
    # k is at least -1076: the power is normal, and a subnormal result is rounded once, by the last product
    return (1.0 + _expm1_reduced(r)) * _power_of_two(k + 54.0) * 2.0**-54


@scalar
def expm1(x):
    """e^x - 1 without cancellation at small x, within 2 ulp.

    Parameters
    ----------
    x : float
        Any number; NaN gives NaN.

    Returns
    -------
    float
        x to first order near 0, -1 below about -37.4, inf above about 709.78.
    """
    x = float(x)
    x = _EXPM1_LOWEST if x < _EXPM1_LOWEST else x
    x = _EXP_HIGHEST if x > _EXP_HIGHEST else x
    k, r = _reduce(x)
    # e^x - 1 = 2^k (e^r - 1 + (1 - 2^-k)); 2^-k is lost beside 1 long before k leaves its range.
    inverse = _power_of_two(-(64.0 if k > 64.0 else k))
    return _scale(_expm1_reduced(r) + (1.0 - inverse), k)


@scalar
def _split(x):
    """Write a normal x > 0 as 2^k m with m in [sqrt(1/2), sqrt(2)); return k + 1023 (an integer) and m."""
    shifted = _bits(x) + (_BITS_OF_ONE - _BITS_OF_SQRT_HALF)
    # The mask turns the shift into a logical one: AVX2 has no arithmetic shift of 64-bit integers.
    biased = (shifted >> _EXPONENT_SHIFT) & 0xFFF
    return biased, _from_bits((shifted & _MANTISSA) + _BITS_OF_SQRT_HALF)


@scalar
def _unbias(biased):
    """Return k as a float from the integer k + 1023."""
    return _from_bits(biased | _BITS_OF_2_52) - (2.0**52 + 1023.0)


@scalar
def _log_of_parts(k, f):
    """Return k ln 2 + log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2))."""
    s = f / (2.0 + f)
    z = s * s
    z2 = z * z
    even = _L0 + z2 * (_L2 + z2 * (_L4 + z2 * _L6))
    odd = _L1 + z2 * (_L3 + z2 * _L5)
    p = even + z * odd
    # log(1 + f) = 2 s + p s^3 = f - (f^2 / 2 - s (f^2 / 2 + p s^2)): only small terms are rounded twice.
    half_square = 0.5 * f * f
    return k * _LN2_HIGH + (f - (half_square - (s * (half_square + z * p) + k * _LN2_LOW)))


@scalar
def _log1p_finite(x):
    """log(1 + x) for finite x > -1."""
    biased, m = _split(1.0 + x)
    k = _unbias(biased)
    # 1 + x has lost low bits of x. With e = 2^-k, (e - 1) + e x is m - 1 without that loss; beyond 2^54
    # nothing is lost, and e would leave its range.
    e = _from_bits((2046 - biased) << _EXPONENT_SHIFT)
    f = m - 1.0 if k > 54.0 else (e - 1.0) + e * x
    return _log_of_parts(k, f)


@scalar
def _atanh_rest(z):
    """Return (2 atanh(s) - 2 s) / s^3 for z = s^2 <= 1/9."""
    z2 = z * z
    z4 = z2 * z2
    low = (_T0 + _T1 * z) + z2 * (_T2 + _T3 * z)
    middle = (_T4 + _T5 * z) + z2 * (_T6 + _T7 * z)
    return low + z4 * (middle + z4 * (_T8 + _T9 * z))


@scalar
def twice_atanh_third(s):
    """2 atanh(s) = log((1 + s) / (1 - s)) for abs(s) <= 1/3, within 1 ulp.

    A quotient p / q between 1/2 and 2 has the logarithm 2 atanh((p - q) / (p + q)): one division, which a
    loop may share with others.

    Parameters
    ----------
    s : float
        A number in [-1/3, 1/3]; NaN gives NaN.
    """
    z = s * s
    return 2.0 * s + s * z * _atanh_rest(z)


@scalar
def log1p_of_third(t, s):
    """log(1 + t) for 0 <= t <= 1, within 1.5 ulp, given s = t / (2 + t).

    Parameters
    ----------
    t, s : float
        Numbers in [0, 1] and in [0, 1/3]; NaN gives NaN.
    """
    z = s * s
    # 2 s = t - s t: the large part is exact
    return t - s * (t - z * _atanh_rest(z))


@scalar
def log1p_unit(t):
    """log(1 + t) for 0 <= t <= 1, within 1.5 ulp.

    Parameters
    ----------
    t : float
        A number in [0, 1]; NaN gives NaN.
    """
    t = float(t)
    return log1p_of_third(t, t / (2.0 + t))


@scalar
def log(x):
    """Natural logarithm, within 1 ulp.

    Parameters
    ----------
    x : float
        A number; subnormals are as accurate as the rest.

    Returns
    -------
    float
        -inf at 0, inf at inf, NaN for a negative number or NaN.
    """
    x = float(x)
    small = x < _SMALLEST_NORMAL
    biased, m = _split(x * 2.0**54 if small else x)
    k = _unbias(biased) - (54.0 if small else 0.0)
    result = _log_of_parts(k, m - 1.0)
    result = result if x < math.inf else x
    result = result if x > 0.0 else -math.inf
    return result if x >= 0.0 else math.nan


@scalar
def log1p(x):
    """log(1 + x) without cancellation at small x, within 2 ulp.

    Parameters
    ----------
    x : float
        A number.

    Returns
    -------
    float
        x to first order near 0, -inf at -1, inf at inf, NaN below -1 or for NaN.
    """
    x = float(x)
    result = _log1p_finite(x)
    result = result if x < math.inf else x
    result = result if x > -1.0 else -math.inf
    return result if x >= -1.0 else math.nan


@scalar
def at_most_one(p):
    """Return p, or 1 where rounding has left a probability above that; NaN gives NaN."""
    return 1.0 if p > 1.0 else p


@scalar
def sigmoid(x):
    """Logistic function 1 / (1 + e^-x), within 3 ulp in both tails.

    Parameters
    ----------
    x : float
        Any number; NaN gives NaN.

    Returns
    -------
    float
        A number in [0, 1]; e^x as long as that is not zero in the left tail.
    """
    t = exp_nonpositive(-abs(x))
    return (t if x < 0.0 else 1.0) / (1.0 + t)


@scalar
def softplus(x):
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), within 3 ulp.

    Parameters
    ----------
    x : float
        Any number; NaN gives NaN.

    Returns
    -------
    float
        e^x in the left tail, x in the right one.
    """
    return (x if x > 0.0 else 0.0) + log1p_unit(exp_nonpositive(-abs(x)))
