"""What theory knows of symmetric models: rounding errors row by row, tempered posteriors."""

import numpy as np
from scipy.special import expit

from emmd.core.numerics.rounding import loss_rounding


def slope_rounding(model, data, theta):
    """Bound the rounding errors of each row's slopes, see `emmd.theory.models.known.slope_rounding`.

    The posterior log odds carry d + 8 roundings of the terms of the loss and reach a slope through p (1 - p).
    """
    y, p = np.abs(data.y), model.e_step(data, theta).responsibilities
    odds = (model.n_features + 8) * 4.0 * p * (1.0 - p) * (1.0 + y) * model.loss_terms(data, theta)
    terms = 1.0 + y + model.predictor_sizes(data, theta)[0]
    return np.stack([terms, terms], axis=1), np.stack([odds, odds], axis=1)


def natural_rounding(model, data, theta):
    """Bound the rounding errors of eta = (a, b) and of grad l(eta) for every row, both (n, 2)."""
    terms, carried = slope_rounding(model, data, theta)
    return (model.n_features + 2) * model.predictor_sizes(data, theta).T, 8.0 * terms + carried


def absolute_pull_back(model, data, slopes):
    """Return |unit| |X|' slopes for each predictor, shape (2d,)."""
    return model.unit * (np.abs(data.X).T @ slopes).T.ravel()


def divergence_rounding(problem, u, v, divergence):
    """Return a relative bound: D_A is added up from terms that are not negative, free of cancellation.

    Those are differences of terms of the losses, too, whose rounding is less where D_A is large.
    """
    return min(1e-11 * abs(divergence), loss_rounding(problem, u) + loss_rounding(problem, v))


def tempered(model, data, theta, evidence):
    """Return sigmoid(b + evidence * (posterior log odds - b)), shape (n,)."""
    prior = model.predictors(data, theta)[1]
    return expit(prior + evidence * (model.posterior_logits(data, theta) - prior))
