"""EM's rate on the population from which the sample was drawn, at theta*."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.theory.population import population


def _measure(sample):
    cell = sample.cell
    spectrum = population(cell["model"], cell["snr_expert"], cell["snr_gate"], cell["cosine"])
    return {"population_rate": spectrum.rate(cell["d"]), "population_rate_error": spectrum.error}


POPULATION_RATE = Measure("population_rate", Scope.SAMPLE, _measure)
