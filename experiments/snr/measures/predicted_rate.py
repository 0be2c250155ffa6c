"""The local rate predicted from the Hessians at the sample's own optimum."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.theory.numeric.rates.predicted import predicted_rate


def _measure(sample, algorithm):
    if not sample.reference.strict:
        return {"predicted_rate": None}
    try:
        return {"predicted_rate": predicted_rate(sample.problem, sample.reference.theta, algorithm)}
    except ValueError:  # no constant linear law: backtracking, SQUAREM, Anderson
        return {"predicted_rate": None}


PREDICTED_RATE = Measure("predicted_rate", Scope.ALGORITHM, _measure, ("snr", "file"))
