"""Which pairs of a family and a gate have fused kernels: whole passes over the data for both."""

from typing import Any

from emmd.models.experts.gaussian import Gaussian
from emmd.models.gates.constant import Constant
from emmd.models.gates.softmax import Softmax
from emmd.models.mixture.fused.gaussian import FusedGaussian

_FUSED: dict[tuple[type, type], Any] = {
    (Gaussian, Softmax): FusedGaussian,
    (Gaussian, Constant): FusedGaussian,
}


def fused_pass(family, gate, n_experts):
    """Return the fused passes of a mixture, or None where its pair has none.

    Parameters
    ----------
    family : Family
    gate : Gate
        Of classes in the table itself: one derived from them may have changed what kernels compute.
    n_experts : int

    Returns
    -------
    FusedGaussian or None
        For mixtures with no penalty and nothing fixed, which kernels do not know of.
    """
    kind = _FUSED.get((type(family), type(gate)))
    return None if kind is None else kind(family, gate, n_experts)
