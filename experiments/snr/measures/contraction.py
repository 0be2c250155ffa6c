"""The spectral radius of the algorithm's own map at the sample's optimum, from map evaluations only."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.theory.numeric.rates.contraction import contraction


def _measure(sample, algorithm):
    if not sample.reference.strict or not _iterates_one_map(sample, algorithm):
        return {"contraction": None, "contraction_error": None}
    seen = contraction(sample.problem, sample.reference.theta, algorithm)
    return {"contraction": seen.value, "contraction_error": seen.error}


def _iterates_one_map(sample, algorithm):
    try:
        algorithm.linear_factors(sample.information.complete, sample.information.complete)
    except ValueError:
        return False
    return True


CONTRACTION = Measure("contraction", Scope.ALGORITHM, _measure, ("snr", "file"))
