"""One expert without a gate, fitted to the same rows and scored on the same test rows."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.experiments.snr.plan.one_expert import scores_of_one


def _measure(sample):
    train, test = (sample.problem.X, sample.problem.y), (sample.test_X, sample.test_y)
    scores = scores_of_one(sample.problem.model, train, test)
    return {f"one_{name}": float(value) for name, value in scores.items()}


ONE_EXPERT = Measure("one_expert", Scope.SAMPLE, _measure, sources=("images", "datasets", "gates"))
