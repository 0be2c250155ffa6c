"""What only theory needs to know of a model: looked up by its class, or derived."""

from emmd.models.conjugate_prior import ConjugatePrior
from emmd.models.mixture.model import MixtureOfExperts
from emmd.models.symmetric.model import SymmetricModel
from emmd.theory.models import generic, mixture, prior, symmetric

_KNOWN = {ConjugatePrior: prior, MixtureOfExperts: mixture, SymmetricModel: symmetric}


def _of(model, what):
    chosen = next((known for kind, known in _KNOWN.items() if isinstance(model, kind)), generic)
    return getattr(chosen, what, getattr(generic, what))


def slope_rounding(model, data, theta):
    """Bound the rounding errors of each row's slopes, in units of the machine precision, before any sum.

    Returns
    -------
    terms : ndarray of shape (n, B)
        Moduli of the terms of the loss's derivative in each predictor.
    carried : ndarray of shape (n, B)
        What rounding errors of predictors and log joints do to that derivative.
    """
    return _of(model, "slope_rounding")(model, data, theta)


def natural_rounding(model, data, theta):
    """Bound the rounding errors of eta and of grad l(eta), in the same units, both of shape (n, D)."""
    return _of(model, "natural_rounding")(model, data, theta)


def absolute_pull_back(model, data, slopes):
    """Return `Model.pull_back` with the moduli of the features, for error bounds: (n, B) -> (p,)."""
    return _of(model, "absolute_pull_back")(model, data, slopes)


def divergence_rounding(problem, u, v, divergence):
    """Bound the rounding error of D_A(u, v), whose value is `divergence`; None where nothing is known."""
    return _of(problem.model, "divergence_rounding")(problem, u, v, divergence)


def posterior_rounding(problem, u, v):
    """Bound the rounding error of the posterior divergence; None where nothing is known."""
    return _of(problem.model, "posterior_rounding")(problem, u, v)


def tempered(model, data, theta, evidence):
    """Return an E-step's answer with the likelihood raised to the power `evidence`: 1 is the E-step's own."""
    return _of(model, "tempered")(model, data, theta, evidence)
