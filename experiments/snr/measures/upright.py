"""One expert that is told which images are inverted: what a perfect gate with equal experts would reach."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.experiments.snr.plan.one_expert import scores_of_one


def _measure(sample):
    train = (sample.upright(sample.problem.X, sample.inverted), sample.problem.y)
    test = (sample.upright(sample.test_X, sample.test_inverted), sample.test_y)
    scores = scores_of_one(sample.problem.model, train, test)
    return {f"upright_{name}": float(value) for name, value in scores.items()}


UPRIGHT = Measure("upright", Scope.SAMPLE, _measure, sources=("images",))
