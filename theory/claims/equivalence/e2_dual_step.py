"""E2: the unprojected unit mirror step, sample by sample, is the posterior mean of the statistics."""

import numpy as np

from emmd.theory.assumptions import regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.rounding import EPS


def measure(lab, step_size=1.0, evidence=1.0):
    """Compare grad A - grad l, by complex steps in eta, with the E-step, for every row and statistic."""
    for label, theta in lab.probes:
        slope = lab.natural_gradient(theta)[1]
        dual = lab.mean_statistics(theta) - step_size * slope
        responsibilities = lab.responsibilities(theta, evidence)
        posterior = lab.model.statistics(lab.problem.data, responsibilities)
        sizes = np.abs(dual) + np.abs(slope) + np.abs(posterior)
        _, of_slope = lab.natural_rounding(theta)
        # grad A, grad l and the posterior mean are three sums of the same terms
        error = EPS * (3.0 * of_slope + 8.0 * sizes)
        yield from _worst_rows(dual, posterior, error, sizes, label, theta)


def _worst_rows(dual, posterior, error, sizes, label, theta):
    """Yield one comparison per statistic: the row that misses most in units of its budget."""
    # where all underflows there is nothing to compare
    worst = np.argmax(np.abs(dual - posterior) / np.maximum(error, 1e-300), axis=0)
    for j, i in enumerate(worst):
        where = {"point": label, "row": int(i), "statistic": j, "theta": theta}
        sides = float(dual[i, j]), float(posterior[i, j]), float(error[i, j])
        yield Comparison(*sides, scale=float(max(sizes[i, j], 1e-3)), where=where, part=label)


CLAIM = Claim(
    id="E2-dual-step",
    statement="grad A(eta) - grad l(eta) is the posterior mean of S: the unit mirror step is the E-step.",
    latex=r"\nabla A(\tilde\eta_i) = \nabla A(\eta_i) - \nabla l_i(\eta_i)"
    r" = E[S(y_i, Z) \mid x_i, y_i; \eta_i]",
    source="Fruytier, Mokhtari, Sanghavi 2025; exact form derived",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("e_step",),
    sabotages=(
        Sabotage("mirror step 1.1", {"step_size": 1.1}),
        Sabotage("missing factor 2 in the posterior", {"evidence": 0.5}),
    ),
    assumptions=(regular_design,),
    proof="E1",
)
