"""R4: the spectrum of M does not change under x -> Bx; that of hess L does."""

import numpy as np

from emmd.core.problem import Problem
from theory.assumptions import regular_design, strict_minimum
from theory.claim import Claim, Kind, Sabotage, componentwise
from theory.numeric.information import missing_information
from theory.numeric.rounding import EPS, depth


def measure(lab, of="missing information"):
    """Compare spectra before and after a linear map of the features that is not orthogonal."""
    d = lab.model.n_features
    B = _mixing(lab, d)
    theta = lab.reference.theta
    moved = np.concatenate([np.linalg.solve(B.T, theta[:d]), np.linalg.solve(B.T, theta[d:])])
    problem = Problem(
        lab.model, lab.problem.X @ B.T, lab.problem.data.y * lab.model.sigma, lab.problem.weights
    )
    predicted, observed = (
        _spectrum(each, point, of) for each, point in ((lab.problem, theta), (problem, moved))
    )
    error = _error(lab, B)
    yield from componentwise(predicted, observed, np.full(2 * d, error), np.ones(2 * d), B=B)


def _mixing(lab, d):
    draw = lab.rng("invariance").standard_normal((d, d))
    orthogonal, _ = np.linalg.qr(draw)
    # condition number 4, in units of the features, and certainly not orthogonal even for d = 1
    return orthogonal * np.linspace(0.5, 2.0, d) / lab.scale[:d]


def _spectrum(problem, theta, of):
    if of == "hess L":
        values = np.linalg.eigvalsh(problem.hessian(theta))
        return values / values[-1] if len(values) > 2 else values
    return missing_information(problem, theta).eigenvalues


def _error(lab, B):
    """Relative errors of both informations, amplified by the condition of I_com and of B."""
    complete = lab.information.complete
    scale = np.sqrt(np.diag(complete))
    condition = (
        np.linalg.cond(complete / np.outer(scale, scale)) * np.linalg.cond(B * lab.scale[: len(B)]) ** 2
    )
    a, b = lab.model.predictors(lab.problem.data, lab.reference.theta)
    size = 1.0 + np.abs(a).max() + np.abs(b).max() + np.abs(lab.problem.data.y).max() ** 2
    return float(depth(lab.problem) * EPS * condition * size)


CLAIM = Claim(
    id="R4-invariance",
    statement="The spectrum of M is invariant under invertible linear maps of the features.",
    latex=r"\mathrm{spec}\, M \text{ is unchanged by } x \mapsto Bx",
    source="classic: Dempster, Laird, Rubin 1977",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(Sabotage("stated for hess L", {"of": "hess L"}),),
    assumptions=(regular_design, strict_minimum),
)
