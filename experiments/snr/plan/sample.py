"""One data set with what its runs share, each computed once."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from emmd import Problem
from emmd.experiments.commands.natural_options import natural_options
from emmd.theory.numeric.rates.information import missing_information
from emmd.theory.numeric.rates.reference import reference_optimum

STEP_WORDS = ("best", "safe")
"""As a step size: the best constant step, from the Hessians at the sample's own optimum; or the inverse of
a bound of all Hessians. Sources say which of them they know."""


@dataclass
class Sample(ABC):
    """A problem, and what is kept of paths on it.

    Attributes
    ----------
    cell : dict
    problem : emmd.Problem
    """

    cell: dict
    problem: Problem

    @abstractmethod
    def ends(self, start, theta):
        """Return numbers by name about a path from `start` to `theta`."""

    @abstractmethod
    def along(self, thetas):
        """Return columns by name about iterates of shape (T, p), each of shape (T,)."""

    @abstractmethod
    def step_size(self, method, word):
        """Return the constant step that a word of the experiment file stands for."""


@dataclass
class DrawnSample(Sample):
    """A sample drawn from a known parameter, with the optimum that EM reaches from there.

    Attributes
    ----------
    truth : ndarray of shape (p,)
        theta*.
    """

    truth: np.ndarray

    @cached_property
    def reference(self):
        """The sample's own optimum next to theta*, to 1e-13."""
        return reference_optimum(self.problem, self.truth)

    @cached_property
    def information(self):
        """Complete and missing information at the optimum, with the eigenvalues of M."""
        return missing_information(self.problem, self.strict_optimum)

    @property
    def strict_optimum(self):
        """The optimum, shape (p,).

        Raises
        ------
        ValueError
            When the sample has no strict local minimum next to theta*.
        """
        if not self.reference.strict:
            raise ValueError(f"the sample has no strict optimum next to theta*: {self.reference.reason}")
        return self.reference.theta

    @cached_property
    def _copies(self):
        """All parameters that mean the same as the optimum, shape (g, p)."""
        return self.problem.model.equivalents(self.reference.theta)

    def distances(self, thetas):
        """Return the distance of each iterate to the optimum modulo the model's symmetries.

        Parameters
        ----------
        thetas : ndarray of shape (T, p)

        Returns
        -------
        ndarray of shape (T,)
            The symmetries are isometries, so it is enough to move the optimum. What lies along gauge
            directions does not count.
        """
        gaps = [(thetas - copy) @ self.problem.quotient(copy) for copy in self._copies]
        return np.sqrt(np.min([np.square(gap).sum(axis=1) for gap in gaps], axis=0))

    def ends(self, start, theta):
        """Return errors at both ends, the distance to theta*, and the optimum's loss."""
        errors = self.distances(np.array([start, theta]))
        return {
            "start_error": float(errors[0]),
            "error": float(errors[1]),
            "distance_to_truth": self.problem.distance(theta, self.truth),
            "optimum_loss": float(self.reference.loss),
            "optimum_strict": self.reference.strict,
        }

    def along(self, thetas):
        """Return the parameter error."""
        return {"error": self.distances(thetas)}

    def step_size(self, method, word):
        """Return the best constant step, from the Hessians at the optimum."""
        information = self.information
        natural = natural_options(method, information, information.complete - information.missing)
        return natural["step_size"]
