"""R3: the eigenvalues of M, from the symmetric pencil, are those of EM's own Jacobian, all in [0, 1]."""

import numpy as np

from emmd.theory.assumptions import regular_design, something_hidden, strict_minimum
from emmd.theory.claim import Claim, Kind, Sabotage, componentwise


def measure(lab, how="pencil"):
    """Compare all eigenvalues with those of the numerically differentiated EM map."""
    observed = lab.contraction("em")
    predicted = np.sort(_eigenvalues(lab, how))
    seen = np.sort(observed.eigenvalues.real)
    inside = np.clip(seen, 0.0, 1.0)
    budget = np.full(len(seen), observed.error + 1e-12)
    yield from componentwise(predicted, seen, budget, np.ones(len(seen)), about="EM's Jacobian")
    yield from componentwise(inside, seen, budget, np.ones(len(seen)), about="the interval [0, 1]")


def _eigenvalues(lab, how):
    complete, missing = lab.reduced(lab.information.complete, lab.information.missing)
    if how == "symmetric solver":
        return np.linalg.eigvalsh(np.linalg.solve(complete, missing))
    if how == "over observed":
        return np.linalg.eigvals(np.linalg.solve(complete - missing, missing)).real
    return lab.information.eigenvalues


CLAIM = Claim(
    id="R3-symmetric-pencil",
    statement="The eigenvalues of M from the symmetric pencil are those of the EM map's Jacobian, in [0, 1].",
    latex=r"\mathrm{spec}(I_{com}^{-1} I_{mis}) = \mathrm{spec}(DF_{EM}(\theta^*)) \subset [0, 1]",
    source="Dempster, Laird, Rubin 1977; Meng, Rubin 1991",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("symmetric eigensolver on I_com^-1 I_mis", {"how": "symmetric solver"}),
        Sabotage("M = I_obs^-1 I_mis", {"how": "over observed"}),
    ),
    assumptions=(regular_design, strict_minimum, something_hidden),
)
