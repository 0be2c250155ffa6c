"""A problem with a start and a name: what the claims are checked on."""

from dataclasses import dataclass

import numpy as np

import emmd


@dataclass(frozen=True)
class Case:
    """A problem with a start and a name.

    Attributes
    ----------
    name : str
    problem : emmd.Problem
    theta0 : ndarray of shape (p,)
    note : str
        What the data are and what was done to them.
    """

    name: str
    problem: emmd.Problem
    theta0: np.ndarray
    note: str

    @property
    def model(self):
        """Name of the model."""
        return self.problem.model.name

    @property
    def users_kind(self):
        """Whether the model is one as users write it: three functions, the rest is derived."""
        return isinstance(self.problem.model, emmd.LatentModel)
