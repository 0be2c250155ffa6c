"""EM's rate on the population from which the sample was drawn, at theta*."""

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.theory.population import population
from emmd.theory.population.mixtures.spectrum import mixture_population


def _measure(sample):
    cell, model = sample.cell, sample.problem.model
    if cell["model"] == "moe":
        try:
            spectrum = mixture_population(model, sample.truth)
        except ValueError:
            # of what has no rule there are samples only
            return {"population_rate": None, "population_rate_error": None}
    else:
        spectrum = population(cell["model"], cell["snr_expert"], cell["snr_gate"], cell["cosine"])
    return {"population_rate": spectrum.rate(cell["d"]), "population_rate_error": spectrum.error}


POPULATION_RATE = Measure("population_rate", Scope.SAMPLE, _measure)
