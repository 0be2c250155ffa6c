"""One data set with what its runs share, each computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from emmd import Problem
from theory.numeric.information import missing_information
from theory.numeric.reference import reference_optimum


@dataclass
class Sample:
    """A problem, the parameter it was drawn from, and the optimum that EM reaches from there.

    Attributes
    ----------
    cell : dict
    problem : emmd.Problem
    truth : ndarray of shape (p,)
        theta*.
    """

    cell: dict
    problem: Problem
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

    def distances(self, thetas):
        """Return the distance of each iterate to the optimum modulo the model's symmetries.

        Parameters
        ----------
        thetas : ndarray of shape (T, p)

        Returns
        -------
        ndarray of shape (T,)
            The symmetries are isometries, so it is enough to move the optimum.
        """
        copies = self.problem.model.equivalents(self.reference.theta)
        return np.min([np.linalg.norm(thetas - copy, axis=1) for copy in copies], axis=0)
