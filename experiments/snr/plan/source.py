"""What a source of problems is: a grid of cells, and a problem for each cell and seed."""

from itertools import product
from typing import ClassVar

from emmd.experiments.snr.config.fields import Section
from emmd.experiments.snr.plan.sample import Sample


class Source(Section):
    """A block ``[[problems]]`` of an experiment file; each source is one file in `sources`.

    Attributes
    ----------
    name : str
        What the key ``source`` calls it.
    keys : tuple of str
        Fields whose product is the grid, of mixtures of experts where `cells` is not the source's own.
    model_keys : tuple of str
        Keys of a cell that say how to fit and not what to draw: cells that differ in nothing else
        share data and starts' seeds.
    starts : tuple of str
        Kinds of starts that make sense.
    step_words : tuple of str
        Words that `Sample.step_size` knows.
    """

    name: ClassVar[str] = ""
    keys: ClassVar[tuple] = ()
    model_keys: ClassVar[tuple] = ()
    starts: ClassVar[tuple] = ()
    step_words: ClassVar[tuple] = ()

    def cells(self) -> list[dict]:
        """Return the cells of the grid, the last key running fastest: plain values, ``source`` among them."""
        grids = [getattr(self, key) for key in self.keys]
        model = {"source": self.name, "model": "moe"}
        return [{**model, **dict(zip(self.keys, values))} for values in product(*grids)]

    def require(self):
        """Raise a ValueError when something outside the package is needed and missing."""

    @staticmethod
    def draw(cell: dict, seed) -> Sample:
        """Return the sample of a cell, all of its random numbers drawn from `seed`."""
        raise NotImplementedError
