"""The local rate lambda_max(M(theta*)), enclosed.

Any vector's Rayleigh quotient is a lower end; an upper end is proved by the factorisation of
upper hess A - I_mis, which is positive definite exactly when lambda_max is below it.
"""

from typing import Any

from emmd.theory.certificates.balls import ball, congruent, require_below, require_positive


def informations(rows: Any, optimum: Any) -> tuple:
    """Return I_com and I_mis at theta* in the coordinates of its frame, as matrices of balls."""
    predictors = rows.predictors(optimum.theta)
    mirror = []
    for term in rows.mirror:
        slopes = term.slopes(rows.arguments(term, predictors))
        mirror.append((term, term.curvatures(slopes)))
    posterior = rows.posterior
    slopes = posterior.slopes(rows.arguments(posterior, predictors))
    complete, missing = rows.second(mirror), rows.second([(posterior, posterior.curvatures(slopes))])
    return congruent(complete, optimum.frame), congruent(missing, optimum.frame)


def rayleigh(complete: Any, missing: Any) -> Any:
    """Return the quotient of the last coordinate vector, which is nearly the slowest mode."""
    last = complete.nrows() - 1
    return missing[last, last] / complete[last, last]


def prove_rate(complete: Any, missing: Any, lower: float, upper: float) -> None:
    """Prove lower <= lambda_max(complete^-1 missing) < upper < 1, or raise `NotProved`."""
    require_positive(complete, "hess A > 0 at theta*")
    require_below(ball(upper), ball(1), "lambda_max(M(theta*)) < 1")
    require_positive(upper * complete - missing, f"lambda_max(M(theta*)) < {upper:.12g}")
    require_below(ball(lower), rayleigh(complete, missing), "the Rayleigh quotient's lower end")
