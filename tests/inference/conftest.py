import numpy as np
import pandas as pd
import pytest

import emmd


@pytest.fixture(scope="session")
def regression():
    """One Gaussian expert with errors that grow with x: least squares, as a table."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((150, 2)), columns=["load [$N$]", "b"])
    y = 1.0 + X["b"].to_numpy() + np.exp(0.5 * X["b"].to_numpy()) * rng.standard_normal(150)
    return emmd.MixtureOfExpertsRegressor(1).fit(X, y), X, y


@pytest.fixture(scope="session")
def mixture():
    """Two Gaussian experts that are easily told apart."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 1))
    first = rng.random(400) < 1.0 / (1.0 + np.exp(-0.5 - X[:, 0]))
    y = np.where(first, 1.0 + 2.0 * X[:, 0], -X[:, 0]) + 0.4 * rng.standard_normal(400)
    return emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0).fit(X, y), X, y
