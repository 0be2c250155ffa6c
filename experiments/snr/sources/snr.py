"""Data drawn from a symmetric model or K experts at given signal-to-noise ratios, x ~ N(0, I)."""

from itertools import product
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from emmd import Problem
from emmd.core.checks import known_name
from emmd.data.snr import snr_parameters
from emmd.experiments.cases.mixture_choice import MOST_CLASSES, MixtureChoice
from emmd.experiments.cases.shipped import MODELS
from emmd.experiments.snr.config.fields import Count, Grid, NotNegative
from emmd.experiments.snr.plan.sample import DrawnSample
from emmd.experiments.snr.plan.source import Source
from emmd.models.mixture.separations import mixture_snr_parameters

_KEYS = ("model", "n", "d", "snr_expert", "snr_gate", "cosine")
_OF_EXPERTS = ("n_experts", "family", "gate", "n_classes")


class SnrSource(Source):
    """The grid model x n x d x SNR_e x SNR_g x cosine, for model moe x K x family x gate.

    Attributes
    ----------
    model : list of str
        Symmetric models, or moe.
    n, d : list of int
        Rows and features.
    snr_expert, snr_gate : list of float
        ||beta*|| / sigma and ||w*||.
    cosine : list of float
        Of the angle between beta* and w*.
    n_experts, family, gate, n_classes : list, optional
        Of model moe: 2 Gaussian experts and a softmax gate by default; the classes are those of categorical
        experts. SNRs and cosine are those of every pair of experts, see `mixture_snr_parameters`.
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
    n_experts: Grid[Annotated[int, Field(ge=2)]] | None = None
    family: Grid[str] | None = None
    gate: Grid[str] | None = None
    n_classes: Grid[Annotated[int, Field(ge=2, le=MOST_CLASSES)]] | None = None

    @model_validator(mode="after")
    def _possible(self):
        for model in self.model:
            known_name("model", model, [*MODELS, "moe"])
        given = [key for key in _OF_EXPERTS if getattr(self, key) is not None]
        if given and self.model != ["moe"]:
            raise ValueError(f"{given[0]} must be given for model 'moe' alone, got model {self.model}")
        for cell in self.cells():
            _truth(cell)
        return self

    def cells(self):
        """Return the product of all grids, the last key running fastest."""
        return [cell for model in self.model for cell in self._cells(model)]

    def _cells(self, model):
        keys = [*_KEYS, *(_OF_EXPERTS if model == "moe" else ())]
        grids = {key: getattr(self, key) for key in keys} | {"model": [model]}
        default = MixtureChoice()
        filled = [[getattr(default, key)] if grid is None else grid for key, grid in grids.items()]
        cells = [{"source": self.name, **dict(zip(keys, values))} for values in product(*filled)]
        # what families without classes do not ask would only repeat their cells
        return [cell for cell in cells if _asked(cell, filled[-1][0])]

    @staticmethod
    def draw(cell, seed):
        """Draw a sample of the model at theta*."""
        model, truth = _truth(cell)
        X, y, _ = model.sample(truth, cell["n"], seed)
        return DrawnSample(cell, Problem(model, X, y), truth)


def _asked(cell, first):
    return cell.get("family", "categorical") == "categorical" or cell["n_classes"] == first


def _truth(cell):
    """Return model and theta* of a cell."""
    snr = cell["snr_expert"], cell["snr_gate"], cell["cosine"]
    if cell["model"] != "moe":
        return MODELS[cell["model"]](cell["d"]), snr_parameters(cell["d"], *snr)
    model = MixtureChoice(*(cell[key] for key in _OF_EXPERTS)).model(cell["d"])
    return model, mixture_snr_parameters(model, *snr)
