"""EM's rate on the population from which the sample was drawn, at theta*."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.theory.population import population
from emmd.theory.population.mixtures.spectrum import mixture_population


def _spectrum(cell, sample):
    if cell["model"] == "moe":
        return mixture_population(sample.problem.model, sample.truth)
    return population(cell["model"], cell["snr_expert"], cell["snr_gate"], cell["cosine"])


def _measure(sample):
    cell = sample.cell
    try:
        spectrum = _spectrum(cell, sample)
    except ValueError:
        # of what has no rule there are samples only
        return {"population_rate": None, "population_rate_error": None}
    return {"population_rate": spectrum.rate(cell["d"]), "population_rate_error": spectrum.error}


POPULATION_RATE = Measure("population_rate", Scope.SAMPLE, _measure)
