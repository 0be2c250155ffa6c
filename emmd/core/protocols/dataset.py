"""What a data set is: a name, a model it suits, and a function that loads it."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataSet:
    """A real data set, prepared for one model.

    Attributes
    ----------
    name : str
    model : str
        Name of the model it suits.
    note : str
        What was done to the data.
    load : callable
        Returns ``(X, y)``.
    options : dict
        Further arguments of the model.
    """

    name: str
    model: str
    note: str
    load: Callable
    options: dict = field(default_factory=dict)
