"""What an estimator offers once it is fitted: predictions, sampling, warm start, callback, files."""

import numpy as np
import pytest

import emmd


def data(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    first = rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * X[:, 0]))
    return X, np.where(first, 1.0 + X @ [1.0, 0.5], -X @ [1.0, 1.0]) + 0.3 * rng.standard_normal(n)


@pytest.fixture(scope="module")
def fitted():
    X, y = data()
    return emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0).fit(X, y), X, y


@pytest.fixture(scope="module")
def labelled():
    X, y = data(400)
    names = np.array(["low", "mid", "top"])[
        np.digitize(y + np.random.default_rng(1).logistic(size=400), [-1, 1])
    ]
    return emmd.MixtureOfExpertsClassifier(n_init=2, random_state=0, method="squarem").fit(X, names), X, names


def softmax(logits):
    weight = np.exp(logits)
    return weight / weight.sum(axis=1, keepdims=True)


def test_predictions_follow_from_the_reported_coefficients(fitted):
    fit, X, y = fitted
    gate = softmax(X @ fit.gate_coef_.T + fit.gate_intercept_)
    means = X @ fit.coef_.T + fit.intercept_
    np.testing.assert_allclose(fit.gate_proba(X), gate, rtol=1e-10)
    np.testing.assert_allclose(fit.predict_experts(X), means, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(fit.predict(X), (gate * means).sum(axis=1), rtol=1e-10, atol=1e-12)
    joint = gate * np.exp(-0.5 * (y[:, None] - means) ** 2 / fit.dispersion_) / np.sqrt(fit.dispersion_)
    np.testing.assert_allclose(
        fit.responsibilities(X, y), joint / joint.sum(axis=1, keepdims=True), rtol=1e-9
    )


def test_class_probabilities_follow_from_the_reported_coefficients(labelled):
    fit, X, names = labelled
    gate = softmax(X @ fit.gate_coef_.T + fit.gate_intercept_)
    expected = 0.0
    for k in range(2):
        logits = np.column_stack([X @ fit.coef_[k].T + fit.intercept_[k], np.zeros(len(X))])
        expected = expected + gate[:, [k]] * softmax(logits)
    np.testing.assert_allclose(fit.predict_proba(X), expected, rtol=1e-9)
    assert set(fit.predict(X)) <= {"low", "mid", "top"}
    position = np.searchsorted(fit.classes_, names)
    assert np.log(expected[np.arange(400), position]).sum() == pytest.approx(fit.loglik_, rel=1e-10)


def test_samples_have_the_fitted_mean_and_the_seeds_bits(fitted, labelled):
    fit, X, _ = fitted
    rows = np.repeat(X[:5], 4000, axis=0)
    means = fit.sample(rows, 1).reshape(5, 4000).mean(axis=1)
    np.testing.assert_allclose(means, fit.predict(X[:5]), atol=0.1)
    np.testing.assert_array_equal(fit.sample(X, 1), fit.sample(X, 1))
    classifier = labelled[0]
    drawn = classifier.sample(rows[:4000], 2)
    shares = [(drawn == label).mean() for label in classifier.classes_]
    np.testing.assert_allclose(shares, classifier.predict_proba(X[:1])[0], atol=0.04)


def test_warm_start_goes_on_from_the_fit(fitted):
    fit, X, y = fitted
    again = emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0, warm_start=True).fit(X, y).fit(X, y)
    assert [start["kind"] for start in again.starts_] == ["warm"]
    assert again.n_iter_ <= 3 < fit.n_iter_
    np.testing.assert_allclose(again.coef_, fit.coef_, rtol=1e-6)
    with pytest.raises(ValueError, match="a warm start must keep n_experts=2"):
        again.set_params(n_experts=3).fit(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callback_and_verbose(capsys, n_jobs):
    X, y = data()
    seen, lines = [], []

    def callback(*what):
        seen.append(what)
        lines.append(capsys.readouterr().out)

    fit = emmd.MixtureOfExpertsRegressor(
        n_init=3, random_state=0, verbose=1, callback=callback, n_jobs=n_jobs
    ).fit(X, y)
    kept = [loglik for start, _, loglik in seen if start == fit.best_start_]
    np.testing.assert_array_equal(kept, fit.trace_)
    assert (np.diff(fit.trace_) >= -1e-9).all()
    # something is said before the first callback, and more before the last
    assert lines[0].startswith("start ")
    assert sum(map(bool, lines)) > 4
    text = "".join(lines) + capsys.readouterr().out
    for index, start in enumerate(fit.starts_):
        said = f"start {index} ({start['kind']}): "
        assert f"{said}iteration 10, log-likelihood" in text
        end = f"converged after {start['n_iter']} iterations, log-likelihood {start['loglik']:.6f}"
        assert said + end in text
    assert text.endswith(f"kept start {fit.best_start_}: log-likelihood {fit.loglik_:.6f}\n")
    assert all(line.startswith(("start ", "kept start ")) for line in text.splitlines())


def test_verbose_two_reports_every_iteration_and_zero_nothing(capsys):
    X, y = data()
    fit = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0, verbose=2).fit(X, y)
    # the kept line and the start's end besides
    assert len(capsys.readouterr().out.splitlines()) == fit.n_iter_ + 2
    emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0).fit(X, y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_exception_in_the_callback_ends_the_fit(n_jobs):
    X, y = data()

    def callback(start, iteration, loglik):
        if iteration == 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        emmd.MixtureOfExpertsRegressor(n_init=3, callback=callback, n_jobs=n_jobs).fit(X, y)


def test_masked_entries_are_refused_where_scikit_learn_would_read_what_lies_under_the_mask(fitted, labelled):
    for fit, X, y in (fitted, labelled):
        for at, name in enumerate(("X", "y", "sample_weight")):
            arrays = [X, y, np.ones(len(y))]
            hidden = np.zeros(arrays[at].shape, dtype=bool)
            hidden[0] = True
            arrays[at] = np.ma.array(arrays[at], mask=hidden)
            said = f"{name} must have no masked entries, got {hidden.sum()} of {hidden.size}"
            with pytest.raises(ValueError, match=said):
                type(fit)().fit(*arrays)
        with pytest.raises(ValueError, match="X must have no masked entries"):
            fit.predict(np.ma.array(X, mask=True))
        with pytest.raises(ValueError, match="y must have no masked entries"):
            fit.responsibilities(X, np.ma.array(y, mask=True))
