"""A door: one public function with legitimate arguments, of which the generator spoils some."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile import examples


@dataclass(frozen=True)
class Door:
    """One public function.

    Attributes
    ----------
    name : str
    call : callable
        Takes all arguments by name.
    valid : callable
        Returns the legitimate arguments, a dict.
    spoil : tuple of str
        Arguments to spoil; all by default.
    promised : tuple of type
        Exceptions for honest numerical failures that the docstring promises.
    share : float
        Of the draws, relative to other doors: slow ones get less.
    """

    name: str
    call: Callable
    valid: Callable
    spoil: tuple = ()
    promised: tuple = ()
    share: float = 1.0

    def spoiled(self):
        """Return the names of the arguments to spoil."""
        return self.spoil or tuple(self.valid())


def at(name, method, kind, valid, **more):
    """Return the door of a method of a problem of some kind."""

    def call(**arguments):
        return getattr(examples.problem(kind), method)(**arguments)

    return Door(f"{name}.{method} ({kind})", call, valid, **more)
