"""Slow, plain numbers from the symbolic expressions, to test fast kernels against."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from emmd.theory.symbolic import derived
from emmd.theory.symbolic.scalar_models import ScalarModel, scalar_model

Array = NDArray[np.inexact]
Symbols = tuple[sp.Symbol, ...]
Derivation = Callable[[ScalarModel], sp.Expr | sp.ImmutableMatrix]

_COMPLEX_STEP = 1e-20
_U, _V = derived.point("u"), derived.point("v")


def _probability(model: ScalarModel) -> sp.Expr:
    return derived.posterior(model, 1)


def _divergence(model: ScalarModel) -> sp.Expr:
    return derived.divergence(model, _U, _V)


def _posterior_kl(model: ScalarModel) -> sp.Expr:
    return derived.posterior_kl(model, _V, _U)


@cache
def _compiled(model: ScalarModel, derivation: Derivation, symbols: Symbols) -> Callable[..., list[Array]]:
    """Compile the entries of a derived quantity; a scalar has one entry."""
    expr = derivation(model)
    entries = list(expr) if isinstance(expr, sp.MatrixBase) else [expr]
    return sp.lambdify(symbols, entries, modules="numpy", cse=True)


def _inexact(values: ArrayLike) -> Array:
    # Integer arrays would make exp(-n) and negative powers fail or truncate.
    array = np.asarray(values)
    return array.astype(np.result_type(array, np.float64), copy=False)


def _points(name: str, values: ArrayLike) -> tuple[Array, Array]:
    array = _inexact(values)
    if array.ndim == 0 or array.shape[-1] != 2:
        raise ValueError(
            f"{name} must hold pairs (a, b): its last axis has length 2, got shape {array.shape}"
        )
    return array[..., 0], array[..., 1]


@dataclass(frozen=True)
class Oracle:
    """Vectorised numbers for one scalar model, compiled from its symbolic expressions.

    Scalars ``a`` (expert score), ``b`` (gate score) and ``y`` (response) broadcast together to a
    shape ``(...)``.  ``a`` and ``b`` may be complex, so the quantities can be differentiated by
    complex step.  The formulas are the textbook ones, without guards against overflow: use
    ``|b| <= 30``, and ``|a|, |y| <= 10`` for symmoline or ``|a| <= 30`` for symmologe, where the
    absolute error is a few units of rounding of the largest term.

    For symmoline ``y`` and ``a`` are in units of sigma, and the loss does not include
    ``log sigma``.

    Attributes
    ----------
    model : ScalarModel
        The model whose expressions are evaluated.
    """

    model: ScalarModel

    def _evaluate(self, derivation: Derivation, symbols: Symbols, values: tuple[Array, ...]) -> Array:
        """Stack the entries of a derived quantity on a new last axis."""
        shape = np.broadcast_shapes(*(value.shape for value in values))
        entries = _compiled(self.model, derivation, symbols)(*values)
        return np.stack([np.broadcast_to(entry, shape) for entry in entries], axis=-1)

    def _responses(self, y: ArrayLike) -> Array:
        array = _inexact(y)
        if self.model.outcomes is not None and not np.isin(array, self.model.outcomes).all():
            raise ValueError(f"{self.model.name}: y must be one of {sorted(self.model.outcomes)}")
        return array

    def _of_sample(self, derivation: Derivation, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        symbols = (*self.model.eta, self.model.y)
        return self._evaluate(derivation, symbols, (_inexact(a), _inexact(b), self._responses(y)))

    def _of_point(self, derivation: Derivation, a: ArrayLike, b: ArrayLike) -> Array:
        return self._evaluate(derivation, self.model.eta, (_inexact(a), _inexact(b)))

    def loss(self, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        """Return ``-log sum_z p(y, z | x)``, shape (...)."""
        return self._of_sample(derived.loss, a, b, y)[..., 0]

    def gradient(self, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        """Return the gradient of the loss in ``(a, b)``, shape (..., 2)."""
        return self._of_sample(derived.loss_gradient, a, b, y)

    def hessian(self, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        """Return the Hessian of the loss in ``(a, b)``, shape (..., 2, 2)."""
        return _as_matrices(self._of_sample(derived.loss_hessian, a, b, y))

    def posterior(self, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        """Return ``P(z=1 | x, y)``, shape (...)."""
        return self._of_sample(_probability, a, b, y)[..., 0]

    def posterior_statistics(self, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        """Return ``E[S(y, Z) | x, y]``, shape (..., 2)."""
        return self._of_sample(derived.posterior_statistics, a, b, y)

    def missing_information(self, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        """Return ``Cov(S(y, Z) | x, y)``, shape (..., 2, 2)."""
        return _as_matrices(self._of_sample(derived.missing_information, a, b, y))

    def log_partition(self, a: ArrayLike, b: ArrayLike) -> Array:
        """Return the mirror map ``A(a, b)``, shape (...)."""
        return self._of_point(derived.log_partition, a, b)[..., 0]

    def log_partition_gradient(self, a: ArrayLike, b: ArrayLike) -> Array:
        """Return the gradient of the mirror map, shape (..., 2)."""
        return self._of_point(derived.mirror_gradient, a, b)

    def complete_hessian(self, a: ArrayLike, b: ArrayLike) -> Array:
        """Return the Hessian of the mirror map, shape (..., 2, 2)."""
        return _as_matrices(self._of_point(derived.complete_hessian, a, b))

    def divergence(self, u: ArrayLike, v: ArrayLike) -> Array:
        """Return ``D_A(u, v) = A(u) - A(v) - <grad A(v), u - v>``.

        It equals ``KL( p_v(y, z | x) || p_u(y, z | x) )``: the arguments change places.

        Parameters
        ----------
        u, v : array_like, shape (..., 2)
            Points ``(a, b)``.

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        ValueError
            If the last axis of `u` or `v` does not have length 2.
        """
        values = (*_points("u", u), *_points("v", v))
        return self._evaluate(_divergence, (*_U, *_V), values)[..., 0]

    def posterior_kl(self, v: ArrayLike, u: ArrayLike, y: ArrayLike) -> Array:
        """Return ``KL( P_v(z | x, y) || P_u(z | x, y) )``, in the order of the arguments.

        Parameters
        ----------
        v, u : array_like, shape (..., 2)
            Points ``(a, b)``; the average is over the posterior at `v`.
        y : array_like, shape (...)
            Responses.

        Returns
        -------
        ndarray, shape (...)

        Raises
        ------
        ValueError
            If the last axis of `u` or `v` does not have length 2, or `y` is not an outcome.
        """
        values = (*_points("v", v), *_points("u", u), self._responses(y))
        return self._evaluate(_posterior_kl, (*_V, *_U, self.model.y), values)[..., 0]

    def complex_step_gradient(self, a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
        """Return the gradient of the loss from its values alone, ``Im l(a + ih, b, y) / h``.

        Parameters
        ----------
        a, b, y : array_like, shape (...)
            Real scalars.

        Returns
        -------
        ndarray, shape (..., 2)
            Exact to rounding: no difference is taken, so ``h = 1e-20`` costs no digits.

        Raises
        ------
        ValueError
            If `a` or `b` is complex.
        """
        if np.iscomplexobj(a) or np.iscomplexobj(b):
            raise ValueError("complex_step_gradient needs real a and b")
        step = 1j * _COMPLEX_STEP
        a, b = _inexact(a), _inexact(b)
        partials = (self.loss(a + step, b, y), self.loss(a, b + step, y))
        return np.stack([np.imag(partial) / _COMPLEX_STEP for partial in partials], axis=-1)


def _as_matrices(entries: Array) -> Array:
    return entries.reshape(*entries.shape[:-1], 2, 2)


@lru_cache
def oracle(model_name: str) -> Oracle:
    """Return the numeric oracle of a scalar model.

    Parameters
    ----------
    model_name : str
        "symmoline" or "symmologe".

    Returns
    -------
    Oracle
        Always the same object; a quantity is compiled when it is first asked for.

    Raises
    ------
    ValueError
        If there is no such model.

    Examples
    --------
    >>> from emmd.theory.symbolic import oracle
    >>> float(oracle("symmologe").posterior(0.0, 0.0, 1))
    0.5
    """
    return Oracle(scalar_model(model_name))
