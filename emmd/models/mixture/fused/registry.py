"""Which pairs of a family and a gate have fused kernels: whole passes over the data for both."""

from typing import Any

from emmd.models.experts.gaussian import Gaussian
from emmd.models.gates.constant import Constant
from emmd.models.gates.softmax import Softmax
from emmd.models.mixture.fused.gaussian import FusedGaussian
from emmd.models.mixture.fused.glm import FusedGLM

_FUSED: dict[type, Any] = {Gaussian: FusedGaussian}
_GATES = (Softmax, Constant)
"""Classes themselves: one derived from them may have changed what kernels compute."""

_LOSS = {"scalar_loss", "row_loss"}
_DENSITY = {"statistics", "log_base", "log_partition", "mean", "variance", "natural", "log_density", "fit"}


def fused_pass(family, gate, n_experts):
    """Return the fused passes of a mixture, or None where its pair has none.

    Parameters
    ----------
    family : Family
        Those in the table have kernels of their own; any other with a `Family.row_loss` has those of
        generalised linear models.
    gate : Gate
    n_experts : int

    Returns
    -------
    FusedGaussian, FusedGLM or None
        For mixtures with no penalty and nothing fixed, which kernels do not know of.
    """
    if type(gate) not in _GATES:
        return None
    kind = _FUSED.get(type(family), FusedGLM if _has_loss(family) else None)
    return None if kind is None else kind(family, gate, n_experts)


def _has_loss(family):
    """Return whether a family has a `Family.row_loss` that no class derived from its own has overtaken."""
    for each in type(family).__mro__:
        if _LOSS & vars(each).keys():
            return family.row_loss is not None
        if _DENSITY & vars(each).keys():
            return False
    return False
