"""The rate seen along the run's own path, with its uncertainty."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.theory.numeric.rates.observed import observed_rate


def _measure(sample, algorithm, result):
    if not result.success or result.nit < 4:
        return {"observed_rate": None, "observed_rate_error": None}
    seen = observed_rate(result)
    return {"observed_rate": seen.value, "observed_rate_error": seen.error}


OBSERVED_RATE = Measure("observed_rate", Scope.RUN, _measure, ("snr", "file"))
