"""emmd: a laboratory for EM as projected mirror descent with unit step and a KL regulariser.

Importing compiles nothing; the first call of each kernel does, once per machine.
"""

from emmd.core.gate import Gate
from emmd.core.model import Model
from emmd.core.partitions import PartitionedProblem
from emmd.core.problem import Problem
from emmd.core.solve import make_algorithm, minimize
from emmd.core.status import Status
from emmd.models.conjugate_prior import ConjugatePrior
from emmd.models.latent.model import LatentModel
from emmd.models.mixture.model import MixtureOfExperts
from emmd.models.symmetric.linear import SymMoLinE
from emmd.models.symmetric.logistic import SymMoLogE
from emmd.runs import load_runs, load_traces

__version__ = "0.1.0"

__all__ = [
    "ConjugatePrior",
    "Gate",
    "LatentModel",
    "MixtureOfExperts",
    "MixtureOfExpertsClassifier",
    "MixtureOfExpertsRegressor",
    "Model",
    "PartitionedProblem",
    "Problem",
    "Status",
    "SymMoLinE",
    "SymMoLogE",
    "__version__",
    "load_model",
    "load_runs",
    "load_traces",
    "make_algorithm",
    "minimize",
    "save_model",
]

_ESTIMATORS = ("MixtureOfExpertsClassifier", "MixtureOfExpertsRegressor", "load_model", "save_model")


def __getattr__(name):
    """Import the estimators when they are asked for: scikit-learn takes longer to load than all of emmd."""
    if name not in _ESTIMATORS:
        raise AttributeError(f"module 'emmd' has no attribute {name!r}")
    from emmd import estimators

    return getattr(estimators, name)
