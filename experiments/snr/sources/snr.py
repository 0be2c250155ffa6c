"""Data drawn from a symmetric model at given signal-to-noise ratios, x ~ N(0, I)."""

from itertools import product
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from emmd import Problem
from emmd.core.checks import known_name
from emmd.data.snr import snr_parameters
from emmd.experiments.cases.shipped import MODELS
from emmd.experiments.snr.config.fields import Count, Grid, NotNegative
from emmd.experiments.snr.plan.sample import DrawnSample
from emmd.experiments.snr.plan.source import Source

_KEYS = ("model", "n", "d", "snr_expert", "snr_gate", "cosine")


class SnrSource(Source):
    """The grid model x n x d x SNR_e x SNR_g x cosine.

    Attributes
    ----------
    model : list of str
    n, d : list of int
        Rows and features.
    snr_expert, snr_gate : list of float
        ||beta*|| / sigma and ||w*||.
    cosine : list of float
        Of the angle between beta* and w*.
    """

    name: ClassVar[str] = "snr"
    starts: ClassVar[tuple] = ("truth", "distance", "random")
    step_words: ClassVar[tuple] = ("best",)

    model: Grid[str]
    n: Grid[Count]
    d: Grid[Count]
    snr_expert: Grid[NotNegative]
    snr_gate: Grid[NotNegative]
    cosine: Grid[Annotated[float, Field(ge=-1, le=1)]]

    @model_validator(mode="after")
    def _possible(self):
        for model in self.model:
            known_name("model", model, MODELS)
        for cell in self.cells():
            snr_parameters(cell["d"], cell["snr_expert"], cell["snr_gate"], cell["cosine"])
        return self

    def cells(self):
        """Return the product of all grids, the last key running fastest."""
        grids = [getattr(self, key) for key in _KEYS]
        return [{"source": self.name, **dict(zip(_KEYS, values))} for values in product(*grids)]

    @staticmethod
    def draw(cell, seed):
        """Draw a sample of the model at theta*."""
        model = MODELS[cell["model"]](cell["d"])
        truth = snr_parameters(cell["d"], cell["snr_expert"], cell["snr_gate"], cell["cosine"])
        X, y, _ = model.sample(truth, cell["n"], seed)
        return DrawnSample(cell, Problem(model, X, y), truth)
