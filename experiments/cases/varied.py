"""Problems for `emmd verify` unlike samples of n equal rows: weights, one feature, a prior, a ridge."""

import numpy as np

import emmd
from emmd.data.snr import snr_parameters
from emmd.experiments.cases.case import Case

_ROWS = {"symmoline": 400, "symmologe": 800}
_SNRS = {"symmoline": (2.0, 1.0, 0.3), "symmologe": (4.0, 2.0, 0.3)}
_KINDS = {"symmoline": emmd.SymMoLinE, "symmologe": emmd.SymMoLogE}


def varied_cases(model_name, seed):
    """Yield the `Case` objects of a model.

    Parameters
    ----------
    model_name : str
        ``symmoline``, ``symmologe`` or ``moe``.
    seed : int
    """
    if model_name == "moe":
        yield _ridge(seed)
        return
    model, X, y, truth, rng = _sample(model_name, seed)
    start = truth + 0.2 * rng.standard_normal(len(truth))
    weights = rng.integers(1, 5, len(y)) * np.where(rng.random(len(y)) < 0.05, 1e-9, 1.0)
    note = f"n = {len(y)}, d = 2, seed = {seed}"
    yield Case(
        "weighted", emmd.Problem(model, X, y, weights), start, f"{note}; weights 1 to 4, some 1e-9 of it"
    )
    prior = emmd.ConjugatePrior(model, 0.3, 0.5 * truth)
    yield Case("prior", emmd.Problem(prior, X, y), start, f"{note}; conjugate prior of strength 0.3")
    if model_name == "symmoline":
        yield _gaussian_mixture(seed)


def _sample(model_name, seed):
    model, truth = _KINDS[model_name](2), snr_parameters(2, *_SNRS[model_name])
    X, y, _ = model.sample(truth, _ROWS[model_name], seed)
    return model, X, y, truth, np.random.default_rng([seed, *b"varied"])


def _gaussian_mixture(seed):
    """One feature, x = 1: the mixture of N(beta, 1) and N(-beta, 1)."""
    model, truth = emmd.SymMoLinE(1), np.array([1.5, 0.4])
    X = np.ones((300, 1))
    y = model.sample_y(truth, X, [seed, 1])
    note = f"n = 300, d = 1, x = 1, seed = {seed}: a mixture of two Gaussians"
    return Case("x = 1", emmd.Problem(model, X, y), truth + 0.2, note)


def _ridge(seed):
    model = emmd.MixtureOfExperts(2, 2, variance="shared", expert_ridge=[0.1, 0.0], gate_ridge=[0.05, 0.0])
    truth = model.pack([[2.0, 0.0], [-2.0, 1.0]], [[1.5, 0.3]], [-1.0])
    rng = np.random.default_rng([seed, *b"ridge"])
    X = np.column_stack([rng.standard_normal(250), np.ones(250)])
    y = model.sample_y(truth, X, [seed, 2])
    weights = rng.uniform(0.2, 2.0, 250)
    note = f"n = 250, K = 2, shared variance, weights, ridge on experts and gate, seed = {seed}"
    return Case("gaussian ridge", emmd.Problem(model, X, y, weights), 0.9 * truth, note)
