"""Problems that a Python file of the user's defines, as for `emmd verify --model-file`."""

from hashlib import sha256
from itertools import product
from typing import ClassVar

from pydantic import Field, model_validator

from emmd.core.discover import python_file
from emmd.experiments.cases.outside import model_file_case
from emmd.experiments.snr.config.fields import Count, Grid
from emmd.experiments.snr.plan.sample import DrawnSample
from emmd.experiments.snr.plan.source import Source


class FileSource(Source):
    """Model files: each defines ``problem``, whose data every repetition shares, or ``model`` and ``theta0``.

    What is drawn from a model is drawn at ``theta0``, anew for each repetition. A cell holds a digest of its
    file: after an edit its runs are others.

    Attributes
    ----------
    file : list of str
        Paths from where the sweep is run.
    n : list of int
        Rows that are drawn from a file's ``model``; 1000 by default.
    """

    name: ClassVar[str] = "file"
    starts: ClassVar[tuple] = ("truth", "distance", "random")
    step_words: ClassVar[tuple] = ("best",)

    file: Grid[str]
    n: Grid[Count] = Field(default=[1000])

    @model_validator(mode="after")
    def _readable(self):
        self.cells()
        return self

    def cells(self):
        """Return the product of files and sizes."""
        return [
            {"source": self.name, "model": path.stem, "file": given, "digest": _digest(path), "n": n}
            for (given, path), n in product([(each, python_file("file", each)) for each in self.file], self.n)
        ]

    @staticmethod
    def draw(cell, seed):
        """Return what the file defines; its ``theta0`` is taken for theta*."""
        path = python_file("file", cell["file"])
        if _digest(path) != cell["digest"]:
            raise ValueError(
                f"file must be the one that was planned with, got another text in {cell['file']}"
            )
        case = model_file_case(path, seed=int(seed.generate_state(1)[0]), rows=cell["n"])
        return DrawnSample(cell, case.problem, case.theta0)


def _digest(path):
    return sha256(path.read_bytes()).hexdigest()[:16]
