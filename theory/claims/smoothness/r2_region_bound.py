"""R2 on a region: D_L >= alpha D_A on a segment, alpha a bound of 1 - lambda_max(M) on it.

The bound is row by row, see `emmd.theory.numeric.bounds.curvature`: the least of sampled points is no
bound, a row of high leverage makes a dip between any two of them.
"""

from emmd.theory.assumptions import linear_model_set, regular_design, strict_minimum
from emmd.theory.certificates.proved import certified_region
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage

_LENGTHS = (0.05, 0.3, 1.0)


def measure(lab, constant="bound"):
    """Compare D_L with alpha D_A on segments through the optimum, both ways, along three directions."""
    vectors = lab.information.vectors
    for name, direction in (("softest", vectors[:, -1]), ("stiffest", vectors[:, 0])):
        for length in _LENGTHS:
            for sign in (1.0, -1.0):
                point = lab.inside(lab.reference.theta, sign * length * direction)
                alpha = _constant(lab, point, constant)
                for u, v in ((point, lab.reference.theta), (lab.reference.theta, point)):
                    yield _compare(lab, u, v, alpha, f"{name}, length {sign * length}")


def _constant(lab, point, constant):
    if constant == "best":
        return 1.0 - lab.information.eigenvalues[0]
    return (
        1.0
        - lab.once(
            ("segment", point.tobytes()), lambda: lab.curvature.segment(point, lab.reference.theta)
        ).upper
    )


def _compare(lab, u, v, alpha, name):
    problem = lab.problem
    divergence = problem.divergence(u, v)
    gap = problem.loss(u) - problem.loss(v) - problem.gradient(v) @ (u - v)
    budget = lab.loss_error(u, v) + abs(u - v) @ lab.gradient_error(v)
    return Comparison(
        predicted=alpha,
        observed=gap / divergence,
        budget=float(budget / divergence) + 1e-10 * max(1.0, abs(alpha)),
        scale=max(1.0, abs(alpha)),
        where={"segment": name, "u": u, "v": v},
        part=name.partition(",")[0],
    )


CLAIM = Claim(
    id="R2-region-bound",
    statement="On a segment D_L >= alpha D_A with alpha at most 1 - lambda_max(M) on it.",
    latex=r"D_L(u, v) \ge \min_{[u, v]} (1 - \lambda_{\max}(M)) \, D_A(u, v)",
    source="Fruytier, Mokhtari, Sanghavi 2025",
    kind=Kind.LOWER_BOUND,
    measure=measure,
    sabotages=(Sabotage("alpha from the smallest eigenvalue", {"constant": "best"}),),
    assumptions=(regular_design, linear_model_set, strict_minimum),
    certified=certified_region,
)
