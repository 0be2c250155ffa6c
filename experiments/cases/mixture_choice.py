"""Which mixture of experts a problem at given SNRs is drawn from."""

from dataclasses import dataclass

import numpy as np

from emmd.core.problem import Problem
from emmd.experiments.cases.case import Case
from emmd.models.mixture.model import MixtureOfExperts
from emmd.models.mixture.separations import mixture_snr_parameters

MOST_CLASSES = 50


@dataclass(frozen=True)
class MixtureChoice:
    """K experts of a family, and a gate.

    Attributes
    ----------
    n_experts : int
    family, gate : str
    n_classes : int
        Of categorical experts.
    """

    n_experts: int = 2
    family: str = "gaussian"
    gate: str = "softmax"
    n_classes: int = 3

    def model(self, d):
        """Return the model of d features."""
        options: dict = {"n_classes": self.n_classes} if self.family == "categorical" else {}
        return MixtureOfExperts(d, self.n_experts, self.family, self.gate, **options)

    @property
    def said(self):
        """Return what it is in words."""
        classes = f" of {self.n_classes} classes" if self.family == "categorical" else ""
        return f"{self.n_experts} {self.family} experts{classes}, {self.gate} gate"


def synthetic_mixture(choice, n, d, snr_expert, snr_gate, cosine, seed):
    """Return a `Case` with data drawn from K experts, x ~ N(0, I), started near the truth."""
    model = choice.model(d)
    truth = mixture_snr_parameters(model, snr_expert, snr_gate, cosine)
    X, y, _ = model.sample(truth, n, seed)
    rng = np.random.default_rng([seed, *b"start"])
    theta0 = truth + 0.3 * rng.standard_normal(len(truth)) / np.sqrt(d)
    note = (
        f"{choice.said}; n = {n}, d = {d}, SNR_e = {snr_expert:g}, SNR_g = {snr_gate:g}, "
        f"cosine = {cosine:g}, seed = {seed}"
    )
    return Case(f"SNR {snr_expert:g}/{snr_gate:g}", Problem(model, X, y), theta0, note)
