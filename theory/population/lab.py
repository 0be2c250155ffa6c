"""A laboratory for statements about the population: one model, and spectra that several claims share."""

from functools import cached_property

import numpy as np

from emmd.core.checks import known_name, seed_integer
from emmd.core.discover import discover
from emmd.core.problem import Problem
from emmd.theory.lab import Lab
from emmd.theory.population.landscape.problem import symmetric_models
from emmd.theory.population.spectrum.information import PopulationModel
from emmd.theory.population.spectrum.spectrum import population

__all__ = ["COSINES", "SNR_EXPERT", "SNR_GATE", "PopulationLab", "at", "labels_only", "linear_only"]

# Accuracy of the matrices behind the spectra, see `spectrum`.
_NATS = 50.0

SNR_EXPERT = tuple(np.geomspace(1e-2, 1e3, 11).tolist())
SNR_GATE = tuple(np.geomspace(1e-2, 1e3, 6).tolist())
COSINES = (0.0, 0.6, 0.99, 1.0)


class PopulationLab:
    """Everything that claims about one model's population share.

    Parameters
    ----------
    model : str
    seed : int
        Seeds every random draw; the draws of a claim do not depend on which other claims run.
    """

    def __init__(self, model, seed=0):
        known = symmetric_models()
        self.model = known[known_name("model", model, known)](2)
        self.seed = seed_integer("seed", seed)
        self._done = {}

    gauge = 0

    @cached_property
    def formula(self):
        """Name of the symbolic model whose density makes up the model's loss, or None."""
        theta = np.array([1.0, 0.5, -0.5, 1.0])
        X, y, _ = self.model.sample(theta, 100, self.seed)
        return Lab(Problem(self.model, X, y), theta).formula

    def rng(self, purpose):
        """Return a generator that depends on the seed and a purpose only."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def once(self, key, compute):
        """Return ``compute()``, computed at the first call with this key."""
        if key not in self._done:
            self._done[key] = compute()
        return self._done[key]

    def spectrum(self, snr_expert, snr_gate, cosine):
        """Return the `PopulationSpectrum` at a point, cached."""
        point = (snr_expert, snr_gate, cosine)
        return self.once(("spectrum", point), lambda: population(self.model.name, *point))

    def information(self, snr_expert, snr_gate, cosine):
        """Return the whitened `Information` at a point, cached."""
        point = (snr_expert, snr_gate, cosine)
        model = discover("emmd.theory.population", PopulationModel).plugins[self.model.name]
        return self.once(("information", point), lambda: model.information(*point, _NATS))

    def grid(self):
        """Yield the points (snr_expert, snr_gate, cosine) of the grid that claims share."""
        for cosine in COSINES:
            for snr_gate in SNR_GATE:
                for snr_expert in SNR_EXPERT:
                    yield snr_expert, snr_gate, cosine


def linear_only(lab):
    """The statement is about linear experts."""
    return "" if lab.model.has_density else "the statement is about linear experts"


def labels_only(lab):
    """The statement is about logistic experts."""
    return "the statement is about logistic experts" if lab.model.has_density else ""


def at(snr_expert, snr_gate, cosine, **more):
    """Return a point as the `where` of a comparison."""
    return {"snr_expert": snr_expert, "snr_gate": snr_gate, "cosine": cosine, **more}
