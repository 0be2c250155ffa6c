"""Which pairs of a family and a gate have fused kernels: whole passes over the data for both."""

from typing import Any

from emmd.models.experts.gaussian import Gaussian
from emmd.models.mixture.fused.gaussian import FusedGaussian

_FUSED: dict[tuple[type, str], Any] = {
    (Gaussian, "softmax"): FusedGaussian,
    (Gaussian, "constant"): FusedGaussian,
}


def fused_pass(family, gate, n_experts):
    """Return the fused passes of a mixture, or None where its pair has none.

    Parameters
    ----------
    family : Family
        Of a class in the table itself: one derived from it may have changed what kernels compute.
    gate : str
    n_experts : int

    Returns
    -------
    FusedGaussian or None
        For mixtures with no penalty and nothing fixed, which kernels do not know of.
    """
    kind = _FUSED.get((type(family), gate))
    return None if kind is None else kind(family, gate, n_experts)
