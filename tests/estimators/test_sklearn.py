"""scikit-learn's own checks, in full, and its tools around the estimators."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.estimator_checks import parametrize_with_checks

import emmd

CHECKED = [
    emmd.MixtureOfExpertsRegressor(),
    emmd.MixtureOfExpertsClassifier(),
    # Poisson alone is missing: the checks' targets are not counts
    emmd.MixtureOfExpertsRegressor(family="gamma", n_init=1, max_iter=50),
    emmd.MixtureOfExpertsRegressor(
        3, variance="shared", gate="constant", fit_intercept=False, n_init=1, max_iter=50
    ),
]


# the checks fit tiny and separable data: degenerate fits that must warn, and do
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def bent(n=150, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (n, 1))
    slope = np.where(rng.random(n) < 1.0 / (1.0 + np.exp(-3.0 * X[:, 0])), 1.0, -1.0)
    return X, slope * X[:, 0] + 0.2 * rng.standard_normal(n)


def test_pipeline_grid_search_and_cross_validation():
    X, y = bent()
    model = emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0, max_iter=200, tol=1e-3)
    pipeline = make_pipeline(PolynomialFeatures(1, include_bias=False), model)
    search = GridSearchCV(pipeline, {"mixtureofexpertsregressor__gate": ["softmax", "constant"]}, cv=3)
    search.fit(X, y)
    assert search.best_params_ == {"mixtureofexpertsregressor__gate": "softmax"}
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.5


def test_pickle_and_clone():
    X, y = bent()
    fit = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(again.predict(X), fit.predict(X))
    assert again.status_ is emmd.Status.CONVERGED
    assert not hasattr(clone(fit), "loglik_")


def test_importing_emmd_does_not_import_scikit_learn(python):
    import subprocess

    script = "import emmd, sys; print('sklearn' in sys.modules, emmd.MixtureOfExpertsRegressor.__name__)"
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "MixtureOfExpertsRegressor"]
