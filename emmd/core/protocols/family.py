"""What a family of experts is: an exponential family, written in its natural parameters.

A plug-in writes the sufficient statistic T, the log partition function a with
gradient and Hessian, and the log base measure; a sampler, and `prediction` where the
regressor is to predict. Families whose natural parameter is not the linear predictor
itself (a free variance, a log link) also write the map from predictors to natural
parameters with two derivatives. The M-step is Newton's method on these; a family that
knows a faster one writes `fit`, and must where experts share a dispersion.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import describe, instance
from emmd.core.discover import discover
from emmd.core.numerics.derivatives import row_gradient, row_hessian


class Family(ABC):
    """Density h(y) exp(<T(y), nu> - a(nu)) of one expert, nu a function of its predictors.

    Attributes
    ----------
    name : str
    n_linear : int
        Number of linear predictors x'beta per expert.
    dispersion : str
        ``none``; ``free``: one further predictor per expert, a constant such as
        a log variance; ``shared``: one constant for all experts.
    n_dispersion : int
        Numbers of a free dispersion, 1 by default: log variances and what makes a covariance of them.
    n_targets : int
        Length of one row's y; 1 stands for a number.
    n_statistics : int
        Length S of T and nu.
    precision_slope : float
        Derivative of the log of `precision` in the dispersion predictor.
    variance_bound : float or None
        At least the largest eigenvalue of Cov(T) for every nu, if canonical and bounded.
    scalar_loss : compiled function or None
        ``(t, u) -> (value, slope, curvature)``, compiled by numba.njit, a static method: the loss of one row
        with one linear predictor u, convex, and its first two derivatives in u, where ``log p(y; u, rho) =
        -precision loss(t, u) + log_constant + kernel_base`` for the dispersion rho. With it the fused kernels
        do whole EM steps.
    score_grows : bool
        Whether the terms of that slope grow like t.
    discrete : bool
        Whether y is a whole number.
    log_link : bool
        Whether y is about e^u: rows may then have exposures, whose logs are added to u.
    hidden : bool
        Whether T depends, beside y, on a variable that nobody sees, such as the scale of a row: the family
        then writes `log_numerator`, and EM's E-step takes the mean of T given y.
    dispersion_name : str
        What e to the dispersion predictor is, for people who read a table of parameters.
    support : array_like, str or None
        What y can be, as for `emmd.Model`.
    """

    name: str
    n_linear = 1
    dispersion = "none"
    n_dispersion = 1
    n_targets = 1
    n_statistics = 1
    precision_slope = 0.0
    variance_bound: float | None = None
    scalar_loss: Callable | None = None
    score_grows = True

    @property
    def row_loss(self) -> Any:
        """The `RowLoss` of the fused kernels, or None: by default that of `scalar_loss`."""
        if self.scalar_loss is None or self.n_linear != 1 or self.dispersion == "shared":
            return None
        from emmd.kernels.em.row_loss import scalar_row_loss

        return scalar_row_loss(self.scalar_loss, self.dispersion == "free")

    def kernel_target(self, y: np.ndarray) -> np.ndarray:
        """Return t of `scalar_loss` for every row, shape (n,); y by default."""
        return y

    def kernel_base(self, y: np.ndarray) -> np.ndarray:
        """Return what `scalar_loss` leaves out of each row's log density, shape (n,); log h by default."""
        return self.log_base(y)

    def log_constant(self, dispersion: np.ndarray) -> np.ndarray:
        """Return what `scalar_loss` leaves out of an expert's log density, shape (K,); 0 by default."""
        return np.zeros(len(dispersion))

    def fitted_dispersion(self, loss: float) -> float:
        """Return the dispersion predictor that fits best where the mean of `scalar_loss` is `loss`."""
        raise TypeError(f"family {self.name} must write fitted_dispersion: its dispersion is free")

    discrete = False
    log_link = False
    hidden = False
    dispersion_name = "dispersion"
    support: Any = None

    @property
    def n_predictors(self) -> int:
        """Length q of an expert's predictor vector: linear ones, then the dispersion."""
        return self.n_linear + (0 if self.dispersion == "none" else self.n_dispersion)

    @abstractmethod
    def check_target(self, y: np.ndarray) -> np.ndarray:
        """Raise a ValueError unless every target is possible; return y as float64."""

    @abstractmethod
    def statistics(self, y: np.ndarray) -> np.ndarray:
        """Return T(y), shape (n, S)."""

    @abstractmethod
    def log_base(self, y: np.ndarray) -> np.ndarray:
        """Return log h(y), shape (n,)."""

    @abstractmethod
    def log_partition(self, nu: np.ndarray) -> np.ndarray:
        """Return a(nu), shape (n,), for real or complex nu of shape (n, S)."""

    @abstractmethod
    def mean(self, nu: np.ndarray) -> np.ndarray:
        """Return grad a(nu) = E[T], shape (n, S)."""

    @abstractmethod
    def variance(self, nu: np.ndarray) -> np.ndarray:
        """Return hess a(nu) = Cov(T), shape (n, S, S)."""

    @abstractmethod
    def sample(self, nu: ArrayLike, rng: np.random.Generator) -> np.ndarray:
        """Draw y, shape (n,)."""

    def natural(self, xi: np.ndarray) -> np.ndarray:
        """Return nu for predictors xi of shape (n, q); the identity for canonical families."""
        return xi

    def natural_jacobian(self, xi: np.ndarray) -> np.ndarray:
        """Return d nu / d xi, shape (n, S, q)."""
        return np.broadcast_to(np.eye(self.n_statistics), (len(xi), self.n_statistics, self.n_predictors))

    def natural_curvature(self, xi: np.ndarray) -> np.ndarray | None:
        """Return the second derivatives of nu in xi, shape (n, S, q, q), or None when they vanish."""
        return None

    def unit(self, rows: Any) -> np.ndarray:
        """Return the size of each predictor that matters, shape (q,): 1 for logits and logs.

        Parameters
        ----------
        rows : RowSums
            All rows with their weights.
        """
        return np.ones(self.n_predictors)

    def score_size(self, rows: Any) -> float:
        """Return the size of the score's terms, to which inner residuals are relative.

        A sum of counts in the hundreds cannot be balanced to 1e-13: rounding alone is that large.

        Parameters
        ----------
        rows : RowSums

        Returns
        -------
        float
            The largest root mean square of a statistic, at least 1; 1 where scores are dimensionless.
        """
        return max(1.0, float(np.sqrt(rows.add_up(_squares).max() / rows.mass)))

    def precision(self, dispersion: np.ndarray | None) -> np.ndarray:
        """Return what multiplies a ridge on the coefficients, e.g. one over the variance; 1 by default.

        Parameters
        ----------
        dispersion : ndarray of shape (K,) or None
            Dispersion predictors, real or complex.
        """
        return np.ones(1)

    def dispersion_collapsed(self, values: np.ndarray, floor: float) -> bool:
        """Return whether an expert fits its rows exactly; `floor` is a log variance that counts as zero."""
        return bool((values < floor).any())

    def reported(self, dispersion: np.ndarray, scale: Any = 1.0) -> dict[str, np.ndarray]:
        """Return what people read in place of the dispersion predictors, by attribute.

        Parameters
        ----------
        dispersion : ndarray of shape (K,), or (K, n_dispersion) for several
            Real or complex.
        scale : float or ndarray of shape (n_targets,)
            The unit of y in which the predictors are, in the reader's.
        """
        return {"dispersion": np.exp(dispersion) * scale**2}

    def inside(self, reported: dict[str, np.ndarray], scale: Any = 1.0) -> np.ndarray:
        """Undo `reported`."""
        return np.log(reported["dispersion"] / scale**2)

    def reported_terms(self, targets: Any) -> list[tuple[str, str, tuple, bool]]:
        """Return a name, an attribute, a place in one expert's entry, and whether it is positive, for each.

        Parameters
        ----------
        targets : sequence of str
            Names of the targets where there are several.
        """
        return [(self.dispersion_name, "dispersion", (), True)]

    def working_target(self, y: np.ndarray) -> np.ndarray | None:
        """Return a target near the first linear predictor but for noise, shape (n,), or None.

        Where the noise is known beforehand and small, as that of large counts is, EM takes every row for
        one expert's at once, and does not leave where it starts. Starts first fit Gaussian experts, whose
        variance is free, to this target.
        """
        return None

    def prediction(self, xi: np.ndarray) -> np.ndarray:
        """Return E[y] for predictors xi, shape (n,)."""
        raise TypeError(f"family {self.name} has no mean of y")

    def cdf(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return P(Y <= y) for predictors xi, shape (n,)."""
        raise TypeError(f"family {self.name} has no distribution function")

    def quantile(self, level: float, xi: np.ndarray) -> np.ndarray:
        """Return the least y with P(Y <= y) >= level, within a step of it, shape (n,)."""
        raise TypeError(f"family {self.name} has no quantiles")

    # what the models need, derived from the above

    def log_density(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return log p(y; xi), shape (n,), for real or complex xi."""
        nu = self.natural(xi)
        return self.log_numerator(y, nu) - self.log_partition(nu)

    def log_numerator(self, y: np.ndarray, nu: np.ndarray) -> np.ndarray:
        """Return log of h exp(<T, nu>), shape (n,), summed over what is hidden, for real or complex nu."""
        return np.einsum("ns,ns->n", self.statistics(y), nu) + self.log_base(y)

    def expected_statistics(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return E[T | y; xi], shape (n, S): T(y) unless something is hidden."""
        if not self.hidden:
            return self.statistics(y)
        return row_gradient(lambda nu: self.log_numerator(y, nu), self.natural(xi))

    def missing(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray | None:
        """Return J' Cov(T | y; xi) J, shape (n, q, q), or None where nothing is hidden."""
        if not self.hidden:
            return None

        def means(nu):
            return row_gradient(lambda points: self.log_numerator(y, points), nu)

        jacobian = self.natural_jacobian(xi)
        return np.einsum("nsq,nst,ntr->nqr", jacobian, row_hessian(means, self.natural(xi)), jacobian)

    def mean_at(self, xi: np.ndarray) -> np.ndarray:
        """Return E[T] at predictors, shape (n, S): `mean`, unless natural parameters lose what it needs."""
        return self.mean(self.natural(xi))

    def variance_at(self, xi: np.ndarray) -> np.ndarray:
        """Return Cov(T) in the same way, shape (n, S, S)."""
        return self.variance(self.natural(xi))

    def score(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return d log p / d xi, shape (n, q)."""
        return self.score_at(self.expected_statistics(y, xi), xi)

    def score_at(self, statistics: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return the mean of the score when T has the mean `statistics`, shape (n, q)."""
        rest = statistics - self.mean_at(xi)
        return np.einsum("nsq,ns->nq", self.natural_jacobian(xi), rest)

    def curvature(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return -d^2 log p(y, hidden; xi) / d xi^2, its mean given y, shape (n, q, q)."""
        return self.curvature_at(self.expected_statistics(y, xi), xi)

    def curvature_at(self, statistics: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return the mean of the curvature when T has the mean `statistics`, shape (n, q, q)."""
        jacobian = self.natural_jacobian(xi)
        result = np.einsum("nsq,nst,ntr->nqr", jacobian, self.variance_at(xi), jacobian)
        second = self.natural_curvature(xi)
        if second is None:
            return result
        return result - np.einsum("ns,nsqr->nqr", statistics - self.mean_at(xi), second)

    def expected_curvature(self, xi: np.ndarray) -> np.ndarray:
        """Return J' hess a J, the expectation of `curvature`, shape (n, q, q)."""
        jacobian = self.natural_jacobian(xi)
        return np.einsum("nsq,nst,ntr->nqr", jacobian, self.variance_at(xi), jacobian)

    def cancellation(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return the sizes of the terms that `log_density` adds up, shape (n,)."""
        return self.natural_terms(y, xi)

    def natural_terms(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return the sizes of the terms <T, nu>, a(nu) and log h, which sum to log p(y; xi), shape (n,).

        What is summed over something hidden has the size of that sum, too.
        """
        nu = self.natural(xi)
        products = (np.abs(self.expected_statistics(y, xi)) * np.abs(nu)).sum(axis=1)
        summed = np.abs(self.log_numerator(y, nu)) if self.hidden else 0.0
        return products + np.abs(self.log_partition(nu)) + np.abs(self.log_base(y)) + summed

    def statistic_terms(self, y: np.ndarray, xi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sizes of the terms that derivatives in nu add up to E[T | y] and E[T], both (n, S)."""
        return np.abs(self.expected_statistics(y, xi)), np.abs(self.mean_at(xi))

    def score_terms(self, y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        """Return the moduli of the terms whose difference is the score, |J|'(|T| + |E T|), shape (n, q)."""
        sizes = np.abs(self.expected_statistics(y, xi)) + np.abs(self.mean_at(xi))
        return np.einsum("nsq,ns->nq", np.abs(self.natural_jacobian(xi)), sizes)

    def divergence(self, xi_u: np.ndarray, xi_v: np.ndarray) -> np.ndarray:
        """Return KL( p(y; xi_v) || p(y; xi_u) ), shape (n,): the Bregman divergence of a."""
        u, v = self.natural(xi_u), self.natural(xi_v)
        slope = np.einsum("ns,ns->n", self.mean(v), u - v)
        return self.log_partition(u) - self.log_partition(v) - slope

    def divergence_terms(self, xi_u: np.ndarray, xi_v: np.ndarray) -> np.ndarray:
        """Return the sizes of what `divergence` adds up, and of what its factors' roundings do to it."""
        u, v = self.natural(xi_u), self.natural(xi_v)
        means, apart = np.abs(self.mean(u)) + np.abs(self.mean(v)), np.abs(u - v)
        levels = np.abs(self.log_partition(u)) + np.abs(self.log_partition(v))
        of_mean = np.einsum("nst,nt,ns->n", np.abs(self.variance(v)), np.abs(v), apart)
        return levels + (means * (np.abs(u) + np.abs(v))).sum(axis=1) + of_mean

    def fit(
        self, rows: Any, start: np.ndarray, ridge: np.ndarray | None = None
    ) -> tuple[np.ndarray, float | None, float, float]:
        """Maximise the weighted log likelihood of one expert, less its ridge penalty: its M-step.

        Parameters
        ----------
        rows : RowSums
            Features, mean statistics (T(y), or those of pseudo-observations) and weights: weight times
            responsibility. Only `Rows` hold them; what asks for sums serves partitions too.
        start : ndarray
            Warm start, coefficients of shape (n_linear, d).
        ridge : ndarray of shape (d,), optional
            Penalty ``precision / 2 sum_j ridge_j coef_j^2`` for every linear predictor.

        Returns
        -------
        coefficients : ndarray of shape (n_linear, d)
        dispersion : float or None
            The maximising dispersion predictor, None when there is none.
        residual : float
            Of the mean score, relative to the features' scale and to `score_size`.
        curvature : float
        """
        from emmd.fits.glm import canonical_fit
        from emmd.fits.linked_glm import linked_fit

        canonical = type(self).natural is Family.natural and self.dispersion == "none"
        fit = canonical_fit if canonical else linked_fit
        return fit(self, rows, start, ridge)


def _squares(rows):
    return rows.weights @ rows.statistics**2


def whole_numbers(y, expected):
    """Raise a ValueError unless y holds whole numbers of at least 0; return them."""
    bad = (y < 0) | (y != np.floor(y))
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"y must hold {expected}, got {y[row]:g} in row {row}")
    return y


def found_families():
    """Return the known classes of families as `Found`: emmd's and those of installed packages."""
    return discover("emmd.models.experts", Family, "emmd.families", classes=True)


def family_object(family, **options):
    """Return a family for a name or an object, with a clear error for anything else."""
    if isinstance(family, Family):
        if options:
            raise ValueError(
                f"family options must not be given beside a Family object, got {describe(options)}"
            )
        return family
    instance("family", family, str, "a name or a Family object")
    kind = found_families().named("family", family)
    takes = inspect.signature(kind).parameters
    for name, value in options.items():
        if name not in takes:
            raise TypeError(
                f"{name} is not an option of family {family!r} "
                f"(it takes {', '.join(takes) or 'no options'}), got {describe(value)}"
            )
    needed = [name for name, each in takes.items() if each.default is each.empty and name not in options]
    if needed:
        raise TypeError(f"family {family!r} must have its option {', '.join(needed)}, got none")
    return kind(**options)
