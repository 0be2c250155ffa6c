"""What a source of problems is: a grid of cells, and a problem for each cell and seed."""

from typing import ClassVar

from experiments.snr.fields import Section
from experiments.snr.sample import Sample


class Source(Section):
    """A block ``[[problems]]`` of an experiment file; each source is one file in `sources`.

    Attributes
    ----------
    name : str
        What the key ``source`` calls it.
    """

    name: ClassVar[str] = ""

    def cells(self) -> list[dict]:
        """Return the cells of the grid: dicts of plain values, ``source`` among them."""
        raise NotImplementedError

    @staticmethod
    def draw(cell: dict, seed) -> Sample:
        """Return the sample of a cell, all of its random numbers drawn from `seed`."""
        raise NotImplementedError
