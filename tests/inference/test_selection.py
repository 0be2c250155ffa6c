"""Criteria, the choice of K, the bootstrap test of K, and their figures."""

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

import emmd
from emmd.inference import selection


def test_criteria_of_the_fit_and_of_data(mixture):
    fit, X, y = mixture
    r = fit.responsibilities(X, y)
    assert fit.entropy_ == pytest.approx(-(r * np.log(np.maximum(r, 1e-300))).sum(), rel=1e-9)
    assert fit.icl() == pytest.approx(fit.bic() + 2.0 * fit.entropy_, rel=1e-12)
    assert fit.adjusted_bic() == pytest.approx(fit.bic() - 8 * np.log(400 * 24 / 402), rel=1e-12)
    for name in selection.CRITERIA:
        assert getattr(fit, name)(X, y) == pytest.approx(getattr(fit, name)(), rel=1e-9)


@pytest.fixture(scope="module")
def chosen(mixture):
    _, X, y = mixture
    return emmd.select_experts(X, y, (2, 1), n_init=1, random_state=0)


def test_the_table_has_every_fit_and_the_best_is_the_least(chosen, mixture):
    assert chosen.best == 2
    assert chosen.best_estimator is chosen.estimators[2]
    assert chosen.table.index.tolist() == [2, 1]
    assert chosen.table["bic"].idxmin() == 2
    assert chosen.table.loc[2, "loglik"] == pytest.approx(mixture[0].loglik_, rel=1e-9)
    assert chosen.table.loc[1, ["n_params", "starts_at_best", "n_starts"]].tolist() == [3, 1, 1]
    assert "2 experts by bic" in repr(chosen)
    assert chosen._repr_html_().count("<tr") == 4


def test_a_collapsed_fit_is_not_chosen(mixture, monkeypatch):
    _, X, y = mixture
    original = selection._row

    def collapsed(fit):
        if fit.n_experts == 2:
            fit.status_ = emmd.Status.VARIANCE_COLLAPSE
        return original(fit)

    monkeypatch.setattr(selection, "_row", collapsed)
    assert emmd.select_experts(X, y, (1, 2), n_init=1, random_state=0).best == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_experts": 3}, "n_experts must be a sequence"),
        ({"n_experts": [0]}, "n_experts must be at least 1"),
        ({"n_experts": [2, 2]}, "n_experts must hold distinct"),
        ({"criterion": "cp"}, "criterion must be one of"),
        ({"estimator": 3}, "estimator must be an estimator of emmd"),
    ],
)
def test_bad_requests_are_refused(options, says, mixture):
    _, X, y = mixture
    with pytest.raises((ValueError, TypeError), match=says):
        emmd.select_experts(X, y, **options)


def test_the_ratio_test_tells_two_experts_from_one(mixture):
    _, X, y = mixture
    calls = []
    options = {"n_resamples": 3, "n_init": 1, "random_state": 0, "callback": lambda *what: calls.append(what)}
    test = emmd.likelihood_ratio_test(X, y, 1, **options)
    assert test.p_value == 0.25
    assert test.statistic > 10 * test.samples.max()
    assert calls == [(k, 3) for k in (1, 2, 3)]
    assert test.to_frame().loc[0, "n_resamples"] == 3
    # one Gaussian line: the test has nothing to find
    line = X[:, 0] + np.random.default_rng(0).standard_normal(len(X))
    assert emmd.likelihood_ratio_test(X, line, 1, **options).p_value > 0.25


def test_starts_that_met_the_best_are_counted(mixture):
    fit, _, _ = mixture
    assert fit.starts_at_best_ == 2
    fit.starts_[1 - fit.best_start_]["loglik"] -= 1.0
    assert fit.starts_at_best_ == 1
    fit.starts_[1 - fit.best_start_]["loglik"] += 1.0


def test_displays_draw_what_they_say(chosen, mixture):
    fit, X, y = mixture
    display = chosen.plot()
    np.testing.assert_array_equal(display.ax_.lines[1].get_ydata(), chosen.table.sort_index()["bic"])
    display = emmd.ExpertsDisplay.from_estimator(fit, X, y)
    line = display.ax_.lines[0]
    np.testing.assert_allclose(line.get_ydata(), fit.predict_experts(line.get_xdata()[:, None])[:, 0])
    display = emmd.ResidualsDisplay.from_estimator(fit, X, y)
    points = display.axes_[0].collections[0].get_offsets()
    np.testing.assert_array_equal(points[:, 1], np.sort(fit.quantile_residuals(X, y)))
    display = emmd.ConvergenceDisplay.from_result(fit)
    assert len(display.ax_.lines[0].get_ydata()) <= fit.n_iter_
    with pytest.raises(TypeError, match="result must be a result of"):
        emmd.ConvergenceDisplay.from_result(OptimizeResult())
    with pytest.raises(ValueError, match="feature must be"):
        emmd.ExpertsDisplay.from_estimator(fit, X, feature="speed")
