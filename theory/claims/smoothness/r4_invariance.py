"""R4: the spectrum of M does not change under x -> Bx; that of hess L does."""

import numpy as np

from emmd.core.problem import Problem
from emmd.theory.assumptions import invariant_problem, regular_design, strict_minimum
from emmd.theory.claim import Claim, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import EPS, depth
from emmd.theory.numeric.rates.information import missing_information

_CONDITION = 4.0


def measure(lab, of="missing information"):
    """Compare spectra before and after a linear map of the features that is not orthogonal."""
    d = lab.model.n_features
    B = _mixing(lab, d)
    theta = lab.reference.theta
    transformed = lab.model.transform_features(theta, B)
    problem = Problem(lab.model, lab.problem.X @ B.T, lab.problem.y, lab.problem.weights)
    predicted, observed = (
        _spectrum(each, point, of) for each, point in ((lab.problem, theta), (problem, transformed))
    )
    error = _error(lab)
    yield from componentwise(predicted, observed, np.full(len(theta), error), np.ones(len(theta)), B=B)


def _mixing(lab, d):
    draw = lab.rng("invariance").standard_normal((d, d))
    orthogonal, _ = np.linalg.qr(draw)
    # not orthogonal even for d = 1, in units of the features
    return orthogonal * np.linspace(0.5, 0.5 * _CONDITION, d) / np.sqrt(np.mean(lab.problem.X**2, axis=0))


def _spectrum(problem, theta, of):
    if of == "hess L":
        values = np.linalg.eigvalsh(problem.hessian(theta))
        return values / values[-1] if len(values) > 2 else values
    return missing_information(problem, theta).eigenvalues


def _error(lab):
    """Relative errors of both informations, amplified by the condition of I_com and of B."""
    complete = lab.information.complete
    scale = np.sqrt(np.diag(complete))
    condition = np.linalg.cond(complete / np.outer(scale, scale)) * _CONDITION**2
    size = 1.0 + lab.model.loss_terms(lab.problem.data, lab.reference.theta).max()
    return float(depth(lab.problem) * EPS * condition * size)


CLAIM = Claim(
    id="R4-invariance",
    statement="The spectrum of M is invariant under invertible linear maps of the features.",
    latex=r"\mathrm{spec}\, M \text{ is unchanged by } x \mapsto Bx",
    source="classic: Dempster, Laird, Rubin 1977",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(Sabotage("stated for hess L", {"of": "hess L"}),),
    assumptions=(regular_design, strict_minimum, invariant_problem),
)
