"""The nearest permutation of the experts: an assignment problem with the answer of trying them all."""

import numpy as np
import pytest

import emmd

MODELS = {
    "free": emmd.MixtureOfExperts(2, 4),
    "shared": emmd.MixtureOfExperts(2, 3, variance="shared"),
    "constant": emmd.MixtureOfExperts(2, 3, "poisson", gate="constant"),
    "one expert": emmd.MixtureOfExperts(2, 1),
    "fixed gate": emmd.MixtureOfExperts(2, 3, fixed={"gate": [[1.0, 2.0], [1.0, 2.0]]}),
    "fixed experts": emmd.MixtureOfExperts(1, 3, "poisson", fixed={"coef": [[1.0], [2.0], [1.0]]}),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_nearest_permutation_is_the_best_of_all(name):
    model, rng = MODELS[name], np.random.default_rng(0)
    for _ in range(5):
        theta, reference = rng.standard_normal((2, model.n_params))
        scale = rng.uniform(0.2, 3.0, model.n_params)
        nearest = model.nearest_equivalent(theta, reference, scale)
        best = emmd.Model.nearest_equivalent(model, theta, reference, scale)
        np.testing.assert_array_equal(nearest, best)


def test_twelve_experts_are_put_back():
    model, rng = emmd.MixtureOfExperts(2, 12), np.random.default_rng(1)
    theta = rng.standard_normal(model.n_params)
    shuffled = model.permuted(theta, rng.permutation(12))
    np.testing.assert_allclose(model.nearest_equivalent(shuffled, theta), theta, atol=1e-12)
    X, y, _ = model.sample(theta, 50, 0)
    assert emmd.Problem(model, X, y).distance(shuffled, theta) < 1e-12
