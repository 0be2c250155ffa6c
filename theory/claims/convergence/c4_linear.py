"""C4: with relative strong convexity alpha on the region, EM contracts by 1 - alpha.

alpha is a bound, row by row, over all segments from the path to the optimum: see
`emmd.theory.numeric.bounds.curvature`.
"""

from itertools import pairwise

from emmd.theory.assumptions import linear_model_set, regular_design, strict_minimum
from emmd.theory.certificates.proved import certified_contraction
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage


def measure(lab, alpha="bound over the region", power=1):
    """Compare along paths from near and far; alpha is bounded over the segments to the optimum."""
    for name, region in lab.regions():
        if not region.converges:
            continue
        factor = 1.0 - (region.alpha if alpha == "bound over the region" else 1.0 - lab.information.rate)
        if factor < 1.0:
            yield from _contraction(lab, name, region, factor**power)
            yield from _gap(lab, name, region, factor**power)


def _contraction(lab, name, region, factor):
    target, error = lab.reference.theta, lab.optimum_error
    distances = [lab.problem.divergence(target, theta) for theta in region.path.theta]
    for t, (before, after) in enumerate(pairwise(distances)):
        if before <= 1e-10 * distances[0]:
            break
        yield Comparison(
            predicted=factor * before,
            observed=after,
            # an error e of the optimum changes D_A(theta*, .) by about e sqrt(2 D_A)
            budget=1e-11 * before + 3.0 * error * before**0.5 + error**2,
            scale=before,
            where={"start": name, "t": t, "theta_t": region.path.theta[t], "alpha": 1.0 - factor},
            part="D_A",
        )


def _gap(lab, name, region, factor):
    start = lab.problem.divergence(lab.reference.theta, region.path.theta[0])
    for T in range(1, len(region.path.loss)):
        predicted = factor**T * start
        theta = region.path.theta[T]
        yield Comparison(
            predicted=predicted,
            observed=region.path.loss[T] - lab.reference.loss,
            budget=lab.loss_error(theta, lab.reference.theta),
            scale=predicted,
            where={"start": name, "T": T, "theta_0": region.path.theta[0], "alpha": 1.0 - factor},
            part="L_T - L*",
        )


CLAIM = Claim(
    id="C4-linear-rate",
    statement="D_A(theta*, theta_t) contracts by 1 - alpha, alpha at most 1 - lambda_max(M) on the region.",
    latex=r"D_A(\theta^*, \theta_{t+1}) \le (1-\alpha) D_A(\theta^*, \theta_t), \quad"
    r" L_T - L^* \le (1-\alpha)^T D_A(\theta^*, \theta_0)",
    source="Fruytier, Mokhtari, Sanghavi 2025; Kunstner, Kumar, Schmidt 2021",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("alpha at theta* used on the whole region", {"alpha": "at the optimum"}),
        # along the slowest mode D_A contracts by the square of lambda_max
        Sabotage("the cube of 1 - alpha", {"power": 3}),
    ),
    assumptions=(regular_design, linear_model_set, strict_minimum),
    certified=certified_contraction,
)
