"""Doors of problems, models and runs."""

import contextlib

import numpy as np

import emmd
from emmd.core.checks import NotFiniteError
from tests.hostile import examples as ex
from tests.hostile.door import Door, at

KINDS = (
    "linear",
    "logistic",
    "parts",
    "prior",
    "gaussian",
    "poisson",
    "gamma",
    "bernoulli",
    "categorical",
)
CURVED = ("gaussian", "poisson", "gamma", "bernoulli", "categorical")


def _one(kind):
    return lambda: {"theta": ex.point(kind)}


def _pair(kind):
    return lambda: {"u": ex.point(kind), "v": ex.optimum(kind)}


def _responsibilities(kind):
    return ex.PK if kind in CURVED else ex.P


def _methods(kind):
    for method in (
        "loss",
        "penalty",
        "gradient",
        "hessian",
        "complete_hessian",
        "missing_hessian",
        "informations",
        "expected_information",
    ):
        yield at("Problem", method, kind, _one(kind), share=0.4)
    yield at("Problem", "em_step", kind, _one(kind), promised=(ArithmeticError,))
    yield at(
        "Problem",
        "distance",
        kind,
        lambda: {"theta": ex.point(kind), "reference": ex.optimum(kind)},
        share=0.5,
    )
    if kind not in (*CURVED, "parts"):
        yield at("Problem", "mirror_map", kind, _one(kind), share=0.5)
        yield at("Problem", "mirror_gradient", kind, _one(kind), share=0.5)
        start = {"start": ex.point(kind)}
        yield at(
            "Problem",
            "mirror_inverse",
            kind,
            lambda: {"dual": ex.problem(kind).mirror_gradient(ex.point(kind)), **start},
            share=0.5,
        )
    if kind != "parts":
        yield at("Problem", "responsibilities", kind, _one(kind))
        yield at("Problem", "divergence", kind, _pair(kind))
        yield at("Problem", "posterior_divergence", kind, _pair(kind))
        r = _responsibilities(kind)
        yield at("Problem", "m_step", kind, lambda: {"responsibilities": r, "start": ex.point(kind)})
        yield at("Problem", "surrogate", kind, lambda: {"responsibilities": r, "theta": ex.point(kind)})


def _minimize(method, kind="linear", **options):
    def valid():
        return {
            "problem": ex.problem(kind),
            "theta0": ex.point(kind),
            "method": method,
            "tol": 1e-8,
            "max_iter": 12,
            "record": False,
            "callback": lambda *arguments: None,
            **options,
        }

    return Door(f"minimize {method} ({kind})", emmd.minimize, valid)


def _problem(model, X, y, sample_weight=None):
    made = emmd.Problem(model, X, y, sample_weight)
    theta = np.zeros(made.n_params)
    # at the end of double precision a problem may be legitimate and its Hessian not
    with contextlib.suppress(NotFiniteError):
        return made.loss(theta), made.gradient(theta), made.informations(theta)


def _parts(model, parts, client=None):
    made = emmd.PartitionedProblem(model, parts, client)
    return made.loss(np.zeros(made.n_params))


def _of_parts(X, y, sample_weight):
    return _parts(ex.linear(), [(X, y, sample_weight), (ex.X, ex.Y, ex.WEIGHTS)])


def _data(kind="linear"):
    made = ex.problem(kind)
    return lambda: {"model": made.model, "X": ex.X, "y": made.y, "sample_weight": ex.WEIGHTS}


def _mixture():
    return {
        "n_features": 2,
        "n_experts": 2,
        "family": "gaussian",
        "gate": "softmax",
        "expert_columns": [0, 1],
        "gate_columns": [1],
        "expert_ridge": 0.1,
        "gate_ridge": np.array([0.0, 0.1]),
        "fixed": None,
        "offset_column": None,
        "variance": 1.0,
    }


def _model_methods(kind):
    model = ex.problem(kind).model
    theta = ex.point(kind)
    yield Door(f"sample ({kind})", model.sample, lambda: {"theta": theta, "n": 5, "seed": 3})
    yield Door(f"sample_y ({kind})", model.sample_y, lambda: {"theta": theta, "X": ex.X, "seed": 3})
    yield Door(f"equivalents ({kind})", model.equivalents, lambda: {"theta": theta}, share=0.5)
    yield Door(
        f"transform_features ({kind})",
        model.transform_features,
        lambda: {"theta": theta, "B": np.array([[2.0, 0.5], [0.0, 1.0]])},
        share=0.5,
        promised=(ArithmeticError,),
    )
    if kind in CURVED:
        yield Door(f"unpack ({kind})", model.unpack, lambda: {"theta": theta}, share=0.5)
        yield Door(f"pack ({kind})", model.pack, lambda: model.unpack(theta))


def doors():
    """Return the doors of this file."""
    found = [door for kind in KINDS for door in _methods(kind)]
    found += [door for kind in ("linear", "logistic", *CURVED) for door in _model_methods(kind)]
    found += [
        Door(f"Problem ({kind})", _problem, _data(kind), share=2.0) for kind in KINDS if kind != "parts"
    ]
    found += [
        Door("SymMoLinE", emmd.SymMoLinE, lambda: {"n_features": 2, "sigma": 0.5}, share=2.0),
        Door("SymMoLogE", emmd.SymMoLogE, lambda: {"n_features": 2}),
        Door("MixtureOfExperts", emmd.MixtureOfExperts, _mixture, share=4.0),
        Door(
            "MixtureOfExperts categorical",
            emmd.MixtureOfExperts,
            lambda: {"n_features": 2, "n_experts": 3, "family": "categorical", "n_classes": 3},
        ),
        Door(
            "MixtureOfExperts fixed",
            lambda **named: emmd.MixtureOfExperts(2, 2, fixed=named),
            lambda: {"coef": np.ones((2, 2)), "dispersion": np.zeros(2)},
        ),
        Door(
            "ConjugatePrior",
            emmd.ConjugatePrior,
            lambda: {"model": ex.linear(), "strength": 0.5, "centre": ex.THETA},
            share=2.0,
        ),
        Door(
            "PartitionedProblem",
            _parts,
            lambda: {"model": ex.linear(), "parts": [(ex.X, ex.Y), (ex.X, ex.Y)], "client": None},
        ),
        Door(
            "PartitionedProblem parts",
            _of_parts,
            lambda: {"X": ex.X, "y": ex.Y, "sample_weight": ex.WEIGHTS},
        ),
    ]
    step = {"step_size": 0.9}
    found += [
        _minimize("em", record=True),
        _minimize("em", "gaussian"),
        _minimize("em", "poisson"),
        _minimize("em", "parts"),
        _minimize("mirror_descent", **step),
        _minimize("gradient_em", inner_steps=2, **step),
        _minimize("gradient_descent", **step),
        _minimize("squarem", base="em", step_max=8.0),
        _minimize("anderson", base="em", step_max=8.0, window=3),
        _minimize("over_relaxation", base="em", relaxation=1.2),
        _minimize("generalized_em", "gaussian"),
        _minimize("projected_mirror_descent", "gaussian", **step, max_iter=3),
        # the argument's name is the caller's: a method is refused under a spoiled one
        *(
            Door(
                f"make_algorithm {name}",
                emmd.make_algorithm,
                lambda: {"method": "em", "argument": "method"},
                (name,),
            )
            for name in ("method", "argument")
        ),
        Door(
            "make_algorithm anderson",
            lambda method, **options: emmd.make_algorithm(method, **options),
            lambda: {"method": "anderson", "base": "em", "window": 3, "step_max": 2.0},
        ),
    ]
    return found
