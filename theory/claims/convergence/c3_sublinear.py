"""C3: where L is convex, EM's loss gap and its smallest step obey 1/T and 1/T^2 bounds."""

from emmd.theory.assumptions import linear_model_set, regular_design, strict_minimum
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage


def measure(lab, bound="sublinear", steps="sublinear"):
    """Compare along paths on whose segments to the optimum the loss is convex, by a bound."""
    for name, region in lab.regions():
        if region.alpha >= 0.0 and region.converges:
            yield from _gaps(lab, name, region, bound)
            yield from _steps(lab, name, region, steps)


def _gaps(lab, name, region, bound):
    target, path = lab.reference, region.path
    start = lab.problem.divergence(target.theta, path.theta[0])
    for T in range(1, len(path.loss)):
        predicted = start * (1.0 / T if bound == "sublinear" else _half_local_law(lab, T))
        yield Comparison(
            predicted=predicted,
            observed=path.loss[T] - target.loss,
            budget=lab.loss_error(path.theta[T], target.theta),
            scale=predicted,
            where={"region": name, "T": T, "theta_0": path.theta[0], "says": "L_T - L*"},
            part="L_T - L*",
        )


def _half_local_law(lab, T):
    """Half of what L_T - L* over D_A(theta*, theta_0) is along the slowest mode near the optimum."""
    rate = lab.information.rate
    return 0.5 * (1.0 - rate) * rate ** (2 * T)


def _half_local_step(lab, T):
    """Half of what the T-th step's divergence is there, in the same unit."""
    rate = lab.information.rate
    return 0.5 * ((1.0 - rate) * rate ** (T - 1)) ** 2


def _steps(lab, name, region, bound):
    path = region.path
    start = lab.problem.divergence(lab.reference.theta, path.theta[0])
    smallest = float("inf")
    for T in range(1, len(path.loss)):
        smallest = min(smallest, lab.problem.divergence(path.theta[T - 1], path.theta[T]))
        if T >= 2:
            predicted = start * (2.0 / (T * (T - 1)) if bound == "sublinear" else _half_local_step(lab, T))
            where = {"region": name, "T": T, "theta_0": path.theta[0], "says": "smallest step"}
            yield Comparison(predicted, smallest, 1e-12 * predicted, predicted, where, part="smallest step")


CLAIM = Claim(
    id="C3-sublinear-rate",
    statement="Where L is convex, L_T - L* <= D_A(theta*, theta_0) / T and the smallest step is O(1/T^2).",
    latex=r"L_T - L^* \le D_A(\theta^*, \theta_0) / T, \quad"
    r" \min_{t \le T} D_A(\theta_{t-1}, \theta_t) \le 2 D_A(\theta^*, \theta_0) / (T(T-1))",
    source="Kunstner, Kumar, Schmidt 2021; Dragomir, Taylor, d'Aspremont, Bolte 2021",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("half the local linear law as a bound", {"bound": "half local law"}),
        Sabotage("half the local law of the steps as a bound", {"steps": "half local law"}),
    ),
    assumptions=(regular_design, linear_model_set, strict_minimum),
)
