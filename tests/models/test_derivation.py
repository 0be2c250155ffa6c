"""Every built-in model against the derivation from its three functions."""

import numpy as np
import pytest

import emmd
from emmd.fits.multinomial import log_softmax
from tests.generators.derived import Derived

FIRST, SECOND = 1e-12, 1e-9


class Floor(emmd.Gate):
    """A softmax that leaves every expert a tenth of its share: no canonical gate."""

    name = "floor"

    def log_weights(self, logits, selected=None):
        p = np.exp(log_softmax(logits))
        return np.log(0.9 * p + 0.1 / len(p))


MIXTURES = {
    "gaussian": {},
    "gaussian shared": {"family": "gaussian", "variance": "shared"},
    "gaussian known": {"family": "gaussian", "variance": 0.3},
    "bernoulli": {},
    "categorical": {"n_classes": 3},
    "poisson": {},
    "gamma": {},
    "student_t": {"df": 3.0},
    "student_t_df": {},
    "multivariate_gaussian": {"n_targets": 3, "n_experts": 2},
    "negative_binomial": {},
    "zero_inflated_poisson": {},
    "offset": {"family": "negative_binomial", "offset_column": 1},
    "constant gate": {"family": "poisson", "gate": "constant"},
    "top-k": {"family": "gaussian", "gate": "top-k"},
    "floor": {"family": "bernoulli", "gate": Floor()},
    "ridge": {"family": "gaussian", "expert_ridge": 0.1, "gate_ridge": 0.2},
}
NAMES = ("symmoline", "symmologe", *MIXTURES, "prior", "curved prior")


def _model(name):
    if name == "symmoline":
        return emmd.SymMoLinE(2, sigma=0.7)
    if name == "symmologe":
        return emmd.SymMoLogE(2)
    if name == "prior":
        return emmd.ConjugatePrior(emmd.SymMoLinE(2, sigma=0.7), 0.8, [0.3, -0.2, 0.5, 0.1])
    if name == "curved prior":
        model = _model("poisson")
        return emmd.ConjugatePrior(model, 0.8, 0.3 * np.ones(model.n_params))
    options = {"family": name.split()[0], "n_experts": 3, **MIXTURES[name]}
    return emmd.MixtureOfExperts(2, **options)


@pytest.fixture(params=NAMES)
def pair(request):
    """The problem, the same from its definition, and two parameters."""
    model, rng = _model(request.param), np.random.default_rng([7, *request.param.encode()])
    theta, other = 0.6 * rng.standard_normal((2, model.n_params))
    X = np.column_stack([rng.standard_normal(40), np.ones(40)])
    if request.param == "student_t_df":
        # below one degree of freedom one row lies so far out that all others count as fitted exactly
        theta[model.index["dispersion"][:, 1]] += 2.0
    if request.param == "top-k":
        # differences must not cross the border between two selections
        logits = np.array([*(theta[model.index["gate"]] @ X.T), np.zeros(40)])
        X = X[np.diff(np.sort(logits, axis=0), axis=0)[0] > 0.1]
    y, weights = model.sample_y(theta, X, 3), rng.uniform(0.5, 2.0, len(X))
    problems = [emmd.Problem(each, X, y, weights) for each in (model, Derived(model))]
    return *problems, theta, other


def close(actual, expected, tolerance):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max()))


def test_losses_and_gradients(pair):
    problem, derived, theta, _ = pair
    close(derived.loss(theta), problem.loss(theta), FIRST)
    close(derived.gradient(theta), problem.gradient(theta), FIRST)


def test_informations(pair):
    problem, derived, theta, _ = pair
    for mine, theirs in zip(derived.informations(theta), problem.informations(theta)):
        close(mine, theirs, SECOND)
    close(derived.hessian(theta), problem.hessian(theta), SECOND)
    close(derived.expected_information(theta), problem.expected_information(theta), SECOND)


def test_em_step(pair):
    problem, derived, theta, _ = pair
    image = problem.em_step(theta)
    if problem.model.same_region(problem.data, theta, image):
        close(derived.em_step(theta), image, 1e-10)


def test_surrogate(pair):
    problem, derived, theta, other = pair
    gains = []
    for each in (problem, derived):
        r = each.model.e_step(each.data, theta).responsibilities
        gains.append(each.model.surrogate(each.data, r, other) - each.model.surrogate(each.data, r, theta))
        close(each.model.surrogate_gradient(each.data, r, theta), problem.gradient(theta), FIRST)
    close(*gains, 10 * FIRST)


def test_divergences(pair):
    problem, derived, theta, other = pair
    close(derived.divergence(theta, other), problem.divergence(theta, other), FIRST)
    close(derived.posterior_divergence(theta, other), problem.posterior_divergence(theta, other), FIRST)


def test_mirror_map(pair):
    problem, derived, theta, other = pair
    assert derived.linear_model_set == problem.linear_model_set
    if not problem.linear_model_set:
        with pytest.raises(ValueError, match="projected_mirror_descent"):
            derived.mirror_map(theta)
        return
    gaps = [each.mirror_map(theta) - each.mirror_map(other) for each in (problem, derived)]
    close(*gaps, FIRST)
    close(derived.mirror_gradient(theta), problem.mirror_gradient(theta), FIRST)
    inverses = [each.mirror_inverse(problem.mirror_gradient(theta), other) for each in (problem, derived)]
    assert all(inverse.solved for inverse in inverses)
    close(inverses[1].theta, theta, 1e-10)


def test_sets_are_linear_where_they_should_be():
    for name in NAMES:
        model = _model(name)
        X = np.column_stack([np.linspace(-1, 1, 20), np.ones(20)])
        problem = emmd.Problem(model, X, model.sample_y(0.1 * np.ones(model.n_params), X, 0))
        assert problem.linear_model_set == (name in ("symmoline", "symmologe", "prior"))


def test_row_functions(pair):
    problem, derived, theta, _ = pair
    model, data = problem.model, problem.data
    rows = model.predictor_rows(data, theta)
    eta = model.natural_parameters(data, rows)
    close(model.mean_statistics(eta), emmd.Model.mean_statistics(model, eta), FIRST)
    r = model.e_step(data, theta).responsibilities
    close(model.statistics(data, r), model.posterior_statistics(data, eta), FIRST)
    slopes = np.random.default_rng(0).standard_normal(rows.shape)
    close(
        derived.model._of(data)[0].transpose(2, 0, 1).reshape(len(theta), -1) @ slopes.ravel(),
        model.pull_back(data, slopes),
        FIRST,
    )
