"""emmd: a laboratory for EM as projected mirror descent with unit step and a KL regulariser.

Importing loads nothing heavy and compiles nothing: a name is imported when it is asked for, so that the
command line answers at once; the first call of each kernel compiles it, once per machine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emmd.core.loop.algorithm import Algorithm, Step
    from emmd.core.loop.fixed_point import accelerate
    from emmd.core.loop.online import online_em
    from emmd.core.loop.solve import make_algorithm, minimize
    from emmd.core.problem import Problem
    from emmd.core.protocols.family import Family
    from emmd.core.protocols.gate import Gate
    from emmd.core.protocols.model import Model
    from emmd.core.status import Status
    from emmd.displays import ConvergenceDisplay, ExpertsDisplay, ResidualsDisplay, SelectionDisplay
    from emmd.estimators.classifier import MixtureOfExpertsClassifier
    from emmd.estimators.model_file import load_model, save_model
    from emmd.estimators.regressor import MixtureOfExpertsRegressor
    from emmd.inference.ratio_test import likelihood_ratio_test
    from emmd.inference.selection import select_experts
    from emmd.models.conjugate_prior import ConjugatePrior
    from emmd.models.latent.model import LatentModel
    from emmd.models.mixture.model import MixtureOfExperts
    from emmd.models.symmetric.linear import SymMoLinE
    from emmd.models.symmetric.logistic import SymMoLogE
    from emmd.partitions.problem import PartitionedProblem
    from emmd.runs import load_runs, load_traces
    from emmd.tables.formula import formula_design

__version__ = "0.1.0"

__all__ = [
    "Algorithm",
    "ConjugatePrior",
    "ConvergenceDisplay",
    "ExpertsDisplay",
    "Family",
    "Gate",
    "LatentModel",
    "MixtureOfExperts",
    "MixtureOfExpertsClassifier",
    "MixtureOfExpertsRegressor",
    "Model",
    "PartitionedProblem",
    "Problem",
    "ResidualsDisplay",
    "SelectionDisplay",
    "Status",
    "Step",
    "SymMoLinE",
    "SymMoLogE",
    "__version__",
    "accelerate",
    "formula_design",
    "likelihood_ratio_test",
    "load_model",
    "load_runs",
    "load_traces",
    "make_algorithm",
    "minimize",
    "online_em",
    "save_model",
    "select_experts",
]

_MODULES = {
    "emmd.core.loop.algorithm": ("Algorithm", "Step"),
    "emmd.core.protocols.family": ("Family",),
    "emmd.core.loop.fixed_point": ("accelerate",),
    "emmd.core.protocols.gate": ("Gate",),
    "emmd.core.protocols.model": ("Model",),
    "emmd.core.loop.online": ("online_em",),
    "emmd.partitions.problem": ("PartitionedProblem",),
    "emmd.core.problem": ("Problem",),
    "emmd.core.loop.solve": ("make_algorithm", "minimize"),
    "emmd.core.status": ("Status",),
    "emmd.displays": ("ConvergenceDisplay", "ExpertsDisplay", "ResidualsDisplay", "SelectionDisplay"),
    "emmd.estimators.classifier": ("MixtureOfExpertsClassifier",),
    "emmd.estimators.model_file": ("load_model", "save_model"),
    "emmd.estimators.regressor": ("MixtureOfExpertsRegressor",),
    "emmd.inference.ratio_test": ("likelihood_ratio_test",),
    "emmd.inference.selection": ("select_experts",),
    "emmd.models.conjugate_prior": ("ConjugatePrior",),
    "emmd.models.latent.model": ("LatentModel",),
    "emmd.models.mixture.model": ("MixtureOfExperts",),
    "emmd.models.symmetric.linear": ("SymMoLinE",),
    "emmd.models.symmetric.logistic": ("SymMoLogE",),
    "emmd.runs": ("load_runs", "load_traces"),
    "emmd.tables.formula": ("formula_design",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def _lazy(name: str) -> Any:
    """Return a public name, or a folder such as ``emmd.theory``, when it is first asked for."""
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        try:
            return import_module(f"emmd.{name}")
        except ModuleNotFoundError as error:
            if name.startswith("_") or error.name == f"emmd.{name}":
                raise AttributeError(f"module 'emmd' has no attribute {name!r}") from None
            raise
    globals()[name] = value
    return value


if not TYPE_CHECKING:
    # out of a type checker's sight, for which it would give every name
    __getattr__ = _lazy


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
