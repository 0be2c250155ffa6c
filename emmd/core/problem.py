"""A problem: a model and weighted data, with everything that theory and algorithms ask of them."""

import numpy as np

from emmd.core.checks import describe, normalised_weights, real_array
from emmd.core.model import Model


def prepared(model, X, y, sample_weight):
    """Return what the model makes of checked features, target and weights, and the target."""
    X = real_array("X", X, 2, (None, model.n_features))
    y = real_array("y", y, 1, (len(X),))
    return model.prepare(X, y, normalised_weights(sample_weight, len(X))), y


def require_rows(model, n_rows):
    """Raise a ValueError when there are fewer rows than experts to share them."""
    if n_rows < model.least_rows:
        raise ValueError(f"X must have at least as many rows as experts ({model.least_rows}), got {n_rows}")


class Problem:
    """The average negative log-likelihood of a model on weighted data, and its EM geometry.

    Parameters
    ----------
    model : Model
    X : array_like of shape (n, d)
        Features, finite real numbers. An intercept is a column of ones.
    y : array_like of shape (n,)
        Target; labels -1 and +1 for `SymMoLogE`.
    sample_weight : array_like of shape (n,), optional
        Positive weights; only their ratios matter. Uniform by default.

    Attributes
    ----------
    y : ndarray of shape (n,)
        The target as given.
    n_rows, n_params : int

    Raises
    ------
    ValueError, TypeError
        For wrong shapes, NaN, infinity, text, complex or empty data, labels or
        weights that do not fit; the message names the argument.

    Notes
    -----
    Every average is E[.] = sum_i c_i (.)_i with sum c_i = 1, so a population
    problem given by quadrature nodes and weights is a problem like any other.
    Sums run over fixed chunks of rows: same bits at any thread count.
    """

    def __init__(self, model, X, y, sample_weight=None):
        if not isinstance(model, Model):
            raise TypeError(f"model must be an emmd model, e.g. emmd.SymMoLinE(3), got {describe(model)}")
        self.model = model
        self.data, self.y = prepared(model, X, y, sample_weight)
        self.n_rows = len(self.y)
        require_rows(model, self.n_rows)
        self.n_params = model.n_params

    def __repr__(self):
        return f"Problem({self.model.name}, n={self.n_rows}, p={self.n_params})"

    def _check(self, theta, name="theta"):
        return real_array(name, theta, 1, (self.n_params,))

    @property
    def X(self):
        """Features, shape (n, d)."""
        return self.data.X

    @property
    def weights(self):
        """Weights c_i with sum 1, shape (n,)."""
        return self.data.weights

    def loss(self, theta):
        """Return the marginal loss L(theta) = -E log p(y | x; theta), constants included."""
        return self.model.loss(self.data, self._check(theta))

    def penalty(self, theta):
        """Return the ridge penalty, a part of the loss, or 0."""
        return float(self.model.penalty(self._check(theta)))

    def gradient(self, theta):
        """Return grad L(theta), shape (p,)."""
        return self.model.gradient(self.data, self._check(theta))

    def hessian(self, theta):
        """Return hess L(theta), shape (p, p)."""
        return self.model.hessian(self.data, self._check(theta))

    def complete_hessian(self, theta):
        """Return I_com(theta), the Hessian of the mirror map, shape (p, p)."""
        return self.model.complete_hessian(self.data, self._check(theta))

    def missing_hessian(self, theta):
        """Return I_mis(theta) = E[Cov(S | x, y; theta)], shape (p, p)."""
        return self.model.missing_hessian(self.data, self._check(theta))

    def informations(self, theta):
        """Return I_com(theta) and I_mis(theta) from one evaluation."""
        return self.model.informations(self.data, self._check(theta))

    def responsibilities(self, theta):
        """Return the posterior probabilities of the experts at theta."""
        return self.model.e_step(self.data, self._check(theta)).responsibilities

    def m_step(self, responsibilities, start):
        """Return the exact M-step for given responsibilities, with its residual.

        Parameters
        ----------
        responsibilities : array_like of shape (n,), or (n, K) for K experts
        start : array_like of shape (p,)
            Where Newton's method starts.

        Returns
        -------
        MStep
        """
        shape = (self.n_rows, *self.model.responsibility_columns)
        p = real_array("responsibilities", responsibilities, len(shape), shape)
        if (p < 0).any() or (p > 1).any():
            raise ValueError(f"responsibilities must lie in [0, 1], got values from {p.min()} to {p.max()}")
        return self.model.m_step(self.data, p, self._check(start, "start"))

    def em_step(self, theta):
        """Return one EM map evaluation, E-step then exact M-step, shape (p,).

        Raises
        ------
        SingularDesignError
            When columns of X are linearly dependent.
        ArithmeticError
            When the M-step cannot be solved to 1e-13.
        """
        _, m_step = self.model.em_step(self.data, self._check(theta))
        if not m_step.solved:
            raise ArithmeticError(
                f"the M-step could not be solved to 1e-13, its residual is {m_step.residual:.1e}"
            )
        return m_step.theta

    def surrogate(self, responsibilities, theta):
        """Return Q(theta), the expected complete negative log-likelihood for given responsibilities."""
        return self.model.surrogate(self.data, responsibilities, self._check(theta))

    def expected_information(self, theta):
        """Return E[J' hess A J] at theta; it is I_com where the model set is linear."""
        return self.model.expected_information(self.data, self._check(theta))

    def mirror_map(self, theta):
        """Return A(theta)."""
        return self.model.mirror_map(self.data, self._check(theta))

    def mirror_gradient(self, theta):
        """Return grad A(theta), shape (p,)."""
        return self.model.mirror_gradient(self.data, self._check(theta))

    def mirror_inverse(self, dual, start):
        """Solve grad A(theta) = dual from `start`; return an `MStep`."""
        return self.model.mirror_inverse(self.data, self._check(dual, "dual"), self._check(start, "start"))

    def divergence(self, u, v):
        """Return the Bregman divergence D_A(u, v) = E KL( p_v(y,z|x) || p_u(y,z|x) )."""
        return self.model.divergence(self.data, self._check(u, "u"), self._check(v, "v"))

    def posterior_divergence(self, u, v):
        """Return E KL( p_v(z|x,y) || p_u(z|x,y) )."""
        return self.model.posterior_divergence(self.data, self._check(u, "u"), self._check(v, "v"))

    def distance(self, theta, reference):
        """Return the Euclidean parameter error modulo the model's symmetries.

        Parameters
        ----------
        theta, reference : array_like of shape (p,)

        Returns
        -------
        float
            ``min_g ||g theta - reference||`` over the symmetry group.
        """
        copies = self.model.equivalents(self._check(theta))
        return float(np.linalg.norm(copies - self._check(reference, "reference"), axis=1).min())
