"""Baselines compute what emmd computes, and one that does not is refused."""

from dataclasses import replace

import numpy as np
import pytest

import emmd
from emmd.core.discover import discover
from emmd.experiments.bench.baseline import Baseline, Runner
from emmd.experiments.bench.clock import Spread, interleaved
from emmd.experiments.bench.measurement import Options
from emmd.experiments.bench.measurements.iteration import compare
from emmd.experiments.bench.problems import TimedProblem, timed_problem

PROBLEMS = [
    ("symmoline", 200, 3),
    ("symmologe", 200, 3),
    ("gaussian", 200, 3, 2),
    ("gaussian", 300, 3, 4),
    ("poisson", 300, 3, 3),
    ("bernoulli", 500, 3, 2),
    ("gamma", 300, 3, 2),
    ("categorical3", 500, 3, 2),
]
BASELINES = {
    plugin.name: plugin for plugin in discover("emmd.experiments.bench.baselines", Baseline).plugins.values()
}


def weighted_problem():
    """A problem with noise sigma and weights, which no row of the table has."""
    model = emmd.SymMoLinE(2, sigma=0.5)
    truth = np.array([1.0, -0.5, 0.7, 0.3])
    X, y, _ = model.sample(truth, 150, 1)
    problem = emmd.Problem(model, X, y, np.random.default_rng(2).uniform(0.5, 2.0, 150))
    return TimedProblem("weighted", "symmoline", problem, truth)


def test_all_baselines_import():
    assert discover("emmd.experiments.bench.baselines", Baseline).broken == {}
    assert set(BASELINES) == {"numpy", "numpy-columns", "dsyrk", "jax", "flexmix"}


@pytest.mark.parametrize("spec", [*PROBLEMS, None])
@pytest.mark.parametrize("name", ["numpy", "numpy-columns", "jax", "flexmix"])
def test_a_baseline_walks_emmds_path(name, spec):
    baseline = BASELINES[name]
    timed = timed_problem(*spec) if spec else weighted_problem()
    why = baseline.missing() or baseline.refuses(timed)
    if why:
        pytest.skip(why)
    runner = baseline.prepare(timed)
    for steps in (1, 3):
        expected = timed.walk(steps)
        change = runner.advance(timed.theta, steps) - expected
        model, data = timed.problem.model, timed.problem.data
        assert model.relative_size(data, change, expected) <= baseline.tolerance(timed)
    # the iterate is in the middle of a path: a step is far longer than what is tolerated
    moved = model.relative_size(data, timed.walk(1) - timed.theta, timed.theta)
    assert moved > 1e-4
    assert runner.seconds(timed.theta, 2) >= 0


class Wrong(Baseline):
    """EM with a step that is a little too long."""

    name, title = "wrong", "wrong EM"

    def prepare(self, timed):
        def advance(theta, steps):
            return timed.walk(steps, theta) + 1e-6

        return Runner(advance)


def test_a_baseline_with_another_answer_is_refused():
    timed = timed_problem("symmoline", 200, 3)
    right, wrong = BASELINES["numpy"], Wrong()
    records = compare("row", "iteration", timed, Options([wrong, right], quick=True))
    by_title = {record.baseline: record for record in records}
    assert "differs from emmd" in by_title["wrong EM"].refused
    assert by_title["wrong EM"].ratio is None
    assert by_title[right.title].refused == ""
    assert by_title[right.title].ratio.median > 0
    assert by_title[right.title].difference <= by_title[right.title].tolerance


def test_ratios_are_taken_within_rounds():
    values = iter(range(1, 100))
    taken = interleaved({"a": lambda: next(values), "b": lambda: next(values)}, 0.0, {"b": 2})
    np.testing.assert_array_equal(taken["a"], [1, 3, 5])
    np.testing.assert_array_equal(taken["b"], [2, 4])
    spread = Spread.of_ratio(taken["b"], taken["a"])
    assert (spread.low, spread.high, spread.count) == pytest.approx((4 / 3 + 1 / 6, 2 - 1 / 6, 2))
    assert replace(spread, median=1.0).median == 1.0
