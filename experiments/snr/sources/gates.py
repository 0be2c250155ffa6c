"""Data drawn from K experts under a softmax gate, fitted under that gate and under sparse ones."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from emmd.core.protocols.gate import gate_object
from emmd.experiments.cases.mixture_choice import MOST_CLASSES, MixtureChoice
from emmd.experiments.snr.config.fields import Count, Grid, NotNegative
from emmd.experiments.snr.plan.gated import GatedSample, gated_problems
from emmd.experiments.snr.plan.source import Source
from emmd.models.mixture.separations import mixture_snr_parameters


class GateSource(Source):
    """The grid K x family x n x d x SNR_e x SNR_g x cosine x gate, tested on as many rows again.

    Attributes
    ----------
    n_experts : list of int
    family : list of str
    n_classes : list of int
        Of categorical experts.
    n, d : list of int
        Training rows and features.
    snr_expert, snr_gate, cosine : list of float
        See `mixture_snr_parameters`.
    ridge : list of float
        Penalty ``ridge / 2`` times the squares of all coefficients: a sparse gate tends to separate the rows.
    gate : list of str
        Of the fitted mixture.
    """

    name: ClassVar[str] = "gates"
    keys: ClassVar[tuple] = (
        "n_experts",
        "family",
        "n_classes",
        "n",
        "d",
        "snr_expert",
        "snr_gate",
        "cosine",
        "ridge",
        "gate",
    )
    model_keys: ClassVar[tuple] = ("ridge", "gate")
    starts: ClassVar[tuple] = ("random", "data", "dense")
    step_words: ClassVar[tuple] = ("safe",)

    n_experts: Grid[Annotated[int, Field(ge=2)]]
    family: Grid[str]
    n_classes: Grid[Annotated[int, Field(ge=2, le=MOST_CLASSES)]] = Field(default=[3])
    n: Grid[Count]
    d: Grid[Count]
    snr_expert: Grid[NotNegative]
    snr_gate: Grid[NotNegative]
    cosine: Grid[Annotated[float, Field(ge=-1, le=1)]] = Field(default=[0.0])
    ridge: Grid[NotNegative] = Field(default=[1e-3])
    gate: Grid[str]

    @model_validator(mode="after")
    def _possible(self):
        for cell in self.cells():
            gate_object(cell["gate"])
            _truth(cell)
        return self

    @staticmethod
    def draw(cell, seed):
        """Draw rows to train on, and as many to test on."""
        model, truth = _truth(cell)
        n = cell["n"]
        X, y, _ = model.sample(truth, 2 * n, seed)
        options = {"n_classes": cell["n_classes"]} if cell["family"] == "categorical" else {}
        problem, dense = gated_problems(
            X[:n], y[:n], cell["n_experts"], cell["gate"], cell["ridge"], family=cell["family"], **options
        )
        return GatedSample(cell, problem, X[n:], y[n:], dense)


def _truth(cell):
    """Return the dense model and its theta*."""
    model = MixtureChoice(cell["n_experts"], cell["family"], n_classes=cell["n_classes"]).model(cell["d"])
    return model, mixture_snr_parameters(model, cell["snr_expert"], cell["snr_gate"], cell["cosine"])
