"""An object of the wrong class, handed to any argument of any public function, is one error that names it."""

import enum
import inspect

import pytest

import emmd
from emmd import theory
from tests.hostile import examples as ex
from tests.hostile.judge import judge
from tests.hostile.test_hostile import FUNCTIONS, doors

RECORDS = (
    emmd.ConvergenceDisplay,
    emmd.ExpertsDisplay,
    emmd.ResidualsDisplay,
    emmd.SelectionDisplay,
    emmd.Step,
    theory.BallConstants,
    theory.BasinMap,
    theory.BoundCheck,
    theory.BoundProof,
    theory.Certificate,
    theory.Contraction,
    theory.MatrixFreeRate,
    theory.MissingInformation,
    theory.ObservedRate,
    theory.PopulationCertificate,
    theory.PopulationProblem,
    theory.RateGrid,
    theory.Record,
    theory.Records,
    theory.Reference,
    theory.SabotageRecord,
)
"""What emmd makes and hands out: displays by ``from_...``, too; and steps, which the loop checks."""

WRONG = {
    "object": object(),
    "class": int,
    "model": ex.linear(),
    "problem": ex.problem(),
    "algorithm": emmd.make_algorithm("squarem"),
    "status": emmd.Status.CONVERGED,
    "exception": ValueError("a value"),
}
"""Objects of which at most one is what an argument asks for."""

KNOWN_BY = {"problem": ["problem", "theta", "theta0"]}
"""Another problem than the start was meant for is a legitimate one: then the start is refused."""


def public():
    """Yield the public functions and classes that people call."""
    for module in (emmd, theory):
        for name in module.__all__:
            value = getattr(module, name)
            # a latent model is made of the user's functions, which tests of its own spoil
            known = value in RECORDS or value is emmd.LatentModel
            if not callable(value) or known or inspect.isabstract(value):
                continue
            if not (inspect.isclass(value) and issubclass(value, enum.Enum)):
                yield name, value


def parameters(function):
    """Return the names of a function's parameters; further options have none."""
    kinds = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    return {name for name, each in inspect.signature(function).parameters.items() if each.kind not in kinds}


def of(name):
    """Return the doors of a public name; estimators are spoiled through `fit`."""
    name = {"MixtureOfExpertsRegressor": "regressor", "MixtureOfExpertsClassifier": "classifier"}.get(
        name, name
    )
    return [door for door in doors() if door.name == name or door.name.startswith(f"{name} ")]


@pytest.mark.parametrize(("name", "function"), list(public()), ids=[name for name, _ in public()])
def test_every_argument_of_a_public_function_has_a_door(name, function):
    spoiled = {argument for door in of(name) for argument in door.spoiled()}
    assert parameters(function) - spoiled == set()


def cases():
    """Yield every door with every argument that it spoils."""
    for door in doors():
        for name in door.spoiled():
            yield pytest.param(door, name, id=f"{door.name}-{name}")


@pytest.mark.parametrize(("door", "name"), list(cases()))
def test_an_object_of_the_wrong_class_is_refused_by_name(door, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    taken = []
    for kind, wrong in WRONG.items():
        arguments = {**door.valid(), name: wrong}

        def call(arguments=arguments, kind=kind):
            door.call(**arguments)
            taken.append(kind)

        if name in FUNCTIONS and callable(wrong):
            continue
        assert judge(call, KNOWN_BY.get(name, [name]), door.promised) == [], kind
    # no argument takes anything: a problem may stand for a problem, a status is a number
    assert "object" not in taken
    assert len(taken) <= 2, taken
