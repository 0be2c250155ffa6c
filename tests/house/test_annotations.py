"""Every parameter and every result of what people call has a type."""

import enum
import inspect

import pytest

import emmd
from emmd import theory


def functions(value):
    """Yield the functions of a public name: itself, or the public methods of a class."""
    if not inspect.isclass(value):
        yield value.__qualname__, value
        return
    if issubclass(value, enum.Enum):
        return
    for name in sorted({name for kind in value.__mro__ for name in vars(kind)}):
        member = inspect.getattr_static(value, name)
        function = getattr(member, "fget", None) or getattr(member, "func", None) or member
        function = getattr(function, "__func__", function)
        public = name == "__init__" or not name.startswith("_")
        # dataclasses and libraries write methods too
        if public and inspect.isfunction(function) and str(function.__module__).startswith("emmd."):
            yield function.__qualname__, function


def untyped(function):
    """Return the parameters without a type, and "return" where the result has none."""
    signature = inspect.signature(function)
    missing = [
        name
        for name, each in signature.parameters.items()
        if each.annotation is each.empty and name not in ("self", "cls")
    ]
    return missing + ["return"] * (signature.return_annotation is signature.empty)


def public():
    """Yield every public function and method once."""
    seen = set()
    for module in (emmd, theory):
        for name in module.__all__:
            value = getattr(module, name)
            for label, function in functions(value) if callable(value) else ():
                if function not in seen:
                    seen.add(function)
                    yield label, function


def test_every_public_signature_is_typed():
    assert {name: missing for name, function in public() if (missing := untyped(function))} == {}


def test_a_signature_without_types_is_seen():
    class Mine(emmd.Algorithm):
        name = "mine"

        def step(self, problem, theta: list, memory: object = None):
            """Step."""

    Mine.step.__module__ = "emmd.mine"
    found = dict(functions(Mine))
    assert untyped(found[Mine.step.__qualname__]) == ["problem", "return"]


@pytest.mark.parametrize(
    "name", ["Problem.em_step", "Problem.X", "MixtureOfExpertsRegressor.fit", "Record.failed"]
)
def test_methods_properties_and_estimators_are_looked_at(name):
    assert name in dict(public())
