"""One mixture under several gates, all of them begun where a dense one has come to."""

from dataclasses import dataclass

from emmd import MixtureOfExperts, Problem
from emmd.core.protocols.gate import gate_object
from emmd.experiments.snr.plan.held_out import HeldOut


@dataclass
class GatedSample(HeldOut):
    """A sample with test rows, and the same rows under a softmax gate.

    Attributes
    ----------
    dense : emmd.Problem
        Its theta has the layout of `problem`'s.
    """

    dense: Problem


def gated_problems(X, y, n_experts, gate, ridge, **options):
    """Return the problem under a gate and the one under a softmax gate.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
    n_experts : int
    gate : str
    ridge : float
        Of experts and gate. A gate that selects one expert keeps its parameters, which no likelihood moves:
        a ridge would pull them to 0.
    **options
        ``family`` and what it takes.

    Returns
    -------
    problem, dense : emmd.Problem
    """
    problems = []
    for kind in (gate_object(gate), gate_object("softmax")):
        penalties = {"expert_ridge": ridge, "gate_ridge": 0.0 if kind.settled else ridge}
        model = MixtureOfExperts(X.shape[1], n_experts, gate=kind, **penalties, **options)
        problems.append(Problem(model, X, y))
    return problems
