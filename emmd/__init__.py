"""emmd: a laboratory for EM as projected mirror descent with unit step and a KL regulariser.

Importing compiles nothing; the first call of each kernel does, once per machine.
"""

from emmd.core.problem import Problem
from emmd.core.solve import make_algorithm, minimize
from emmd.core.status import Status
from emmd.models.mixture import MixtureOfExperts
from emmd.models.symmetric_linear import SymMoLinE
from emmd.models.symmetric_logistic import SymMoLogE
from emmd.runs import load_runs, load_traces

__version__ = "0.1.0"

__all__ = [
    "MixtureOfExperts",
    "Problem",
    "Status",
    "SymMoLinE",
    "SymMoLogE",
    "__version__",
    "load_runs",
    "load_traces",
    "make_algorithm",
    "minimize",
]
