"""A user's functions are tried before anything else: what is wrong with them is said in one sentence."""

import warnings
from contextlib import nullcontext
from typing import Any

import numpy as np

from emmd.core.checks import describe
from emmd.models.latent.rows import row_of

_STEP = 1e-5
_AGREE = 1e-4
"""Of a derivative and a difference quotient."""

_HEARD = 0.1
"""Share of a quotient that rounding may make up."""

_SAME = 1e-8
"""Relative to 1 and to a value: what is compiled for all rows rounds in another order."""

_NAMES = "natural_parameters", "log_partition", "log_numerator"


def try_values(model: Any, data: Any, theta: np.ndarray) -> None:
    """Raise a ValueError or TypeError where a function of a `LatentModel` returns no numbers of its kind.

    Parameters
    ----------
    model : LatentModel
    data : LatentData
    theta : ndarray of shape (p,)
        A point of the domain.
    """
    functions = dict(zip(_NAMES, model._functions))
    eta = _called("natural_parameters", functions, theta, row_of(data.X, 0))
    if eta.ndim != 1:
        raise ValueError(f"natural_parameters must return an array of shape (D,), got shape {eta.shape}")
    _number("log_partition", _called("log_partition", functions, eta))
    _number("log_numerator", _called("log_numerator", functions, eta, row_of(data.y, 0)))


def try_derivatives(model: Any, data: Any, theta: np.ndarray) -> None:
    """Raise where values or derivatives are not finite, or not those of one function of a row.

    Parameters
    ----------
    model : LatentModel
        Its values have been tried.
    data : LatentData
    theta : ndarray of shape (p,)
    """
    functions = dict(zip(_NAMES, model._functions))
    if not model._derivatives.automatic:
        eta = _plain("natural_parameters", functions, (theta, row_of(data.X, 0)), 0)
        _try_complex("natural_parameters", functions, theta, row_of(data.X, 0))
        _try_complex("log_partition", functions, eta)
        _try_complex("log_numerator", functions, eta, row_of(data.y, 0))
    says = not_finite(model, data, theta)
    if says:
        raise ValueError(says)
    _try_positions(model, data, theta, functions)
    _compare_quotients(model, data, theta)


def _called(name, functions, *arguments):
    """Return a function's value at one row; two calls must agree to the last bit."""
    first, second = (_plain(name, functions, arguments, 0) for _ in range(2))
    if first.dtype != np.float64:
        raise TypeError(f"{name} must compute in double precision, got {first.dtype} in row 0")
    if not np.array_equal(first, second, equal_nan=True):
        raise ValueError(f"{name} must depend on its arguments alone, got two values in row 0 from two calls")
    return first


def _plain(name, functions, arguments, row):
    try:
        with _double_precision():
            found = functions[name](*arguments)
    except Exception as error:
        error.add_note(f"{name} was called for row {row}")
        raise
    if not (hasattr(found, "shape") or isinstance(found, float | complex)):
        raise TypeError(f"{name} must return an array or a number, got {describe(found)} in row {row}")
    return np.asarray(found)


def _double_precision():
    try:
        import jax
    except ImportError:
        return nullcontext()
    return jax.enable_x64(True)


def _try_complex(name, functions, point, *rest):
    """Raise where a function that is differentiated by complex steps does not take complex numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            found = np.asarray(functions[name](np.asarray(point, dtype=complex), *rest))
        got = f"dtype {found.dtype} from them" if found.dtype.kind != "c" else ""
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
    if got:
        raise ValueError(
            f"{name} must be written with jax.numpy (with JAX installed, pip install 'emmd[jax]'), or take "
            f"complex numbers to complex numbers, got {got}, in row 0"
        )


def _try_positions(model, data, theta, functions):
    """Raise where a row's values depend on where it stands among the others."""
    eta = model._eta(data, theta)
    batched = model.natural_parameters(data, model.predictor_rows(data, theta))
    together = {
        "natural_parameters": batched,
        "log_partition": model.log_partition(eta),
        "log_numerator": model.log_numerator(data, eta),
    }
    for i in {0, len(data.weights) - 1}:
        alone = {
            "natural_parameters": (theta, row_of(data.X, i)),
            "log_partition": (eta[i],),
            "log_numerator": (eta[i], row_of(data.y, i)),
        }
        for name, arguments in alone.items():
            seen, value = together[name][i], _plain(name, functions, arguments, i)
            if not np.allclose(seen, value, rtol=_SAME, atol=_SAME):
                raise ValueError(
                    f"{name} must not depend on where a row stands, got {value} for row {i} alone and {seen} "
                    "among the others"
                )


def _number(name, value):
    if value.shape != ():
        raise ValueError(f"{name} must return a number, got shape {value.shape}")


def not_finite(model: Any, data: Any, theta: np.ndarray) -> str:
    """Return which function is not finite at theta and in which row, or "".

    Parameters
    ----------
    model : LatentModel
    data : LatentData
    theta : ndarray of shape (p,)
    """
    eta = model._eta(data, theta)
    found = {
        "natural_parameters": eta,
        "log_partition": model.log_partition(eta),
        "log_numerator": model.log_numerator(data, eta),
        "the derivative of natural_parameters": model.natural_jacobian(
            data, model.predictor_rows(data, theta)
        ),
        "the gradient of log_partition": model.mean_statistics(eta),
        "the gradient of log_numerator": model.posterior_statistics(data, eta),
    }
    for name, values in found.items():
        finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            got = f"{_first(values[row])} in row {row} at theta {theta}"
            return f"{name} must be finite in the domain, got {got}"
    return ""


def _first(values):
    """Return the first value that is not finite."""
    values = np.ravel(values)
    return values[np.argmin(np.isfinite(values))]


def _compare_quotients(model, data, theta):
    """Compare derivatives with difference quotients along one direction, in the first and the last row."""
    rng = np.random.default_rng(0)
    for i in {0, len(data.weights) - 1}:
        row = type(data)(row_of(data.X, slice(i, i + 1)), row_of(data.y, slice(i, i + 1)), np.ones(1))
        eta = model.natural_parameters(row, theta[None])
        for name, value, derivative, point in (
            ("natural_parameters", lambda t, row=row: model.natural_parameters(row, t),
             model.natural_jacobian(row, theta[None]), theta[None]),
            ("log_partition", model.log_partition, model.mean_statistics(eta), eta),
            ("log_numerator", lambda e, row=row: model.log_numerator(row, e),
             model.posterior_statistics(row, eta), eta),
        ):  # fmt: skip
            _agree(name, i, value, derivative[0], point, rng)


def _agree(name, row, value, derivative, point, rng):
    """Raise where both difference quotients disagree with the derivative, and rounding leaves both a say."""
    slope = np.abs(derivative).reshape(-1, point.shape[1]).max(axis=0)
    direction, reach = rng.standard_normal(point.shape[1]), 1.0 + np.abs(point[0])
    # a log of masses with slope g bends over a length of 1 / g; one of small slope may hide a large one
    directions = direction / np.maximum(slope, 1.0 / reach), direction / max(slope.max(), 1.0 / reach.max())
    found = [_disagreement(value, derivative, point, each) for each in directions]
    # the longer of the two alone may jump from one mass to another: y may be as large as it likes
    if all(each is not None and each[0] for each in found):
        predicted, quotient = found[-1][1]
        raise ValueError(
            f"{name} must be differentiable and its derivative must be seen (by JAX, or by complex steps, to "
            f"which abs, max and real parts are blind), got {predicted:.6g} for {quotient:.6g} in row {row}"
        )


def _disagreement(value, derivative, point, direction):
    """Return whether derivative and quotient differ, and the two; None where rounding or a hole hides it."""
    predicted, shift = np.atleast_1d(derivative @ direction), _STEP * direction
    ends = [np.atleast_1d(value(point + sign * shift)[0]) for sign in (1.0, -1.0)]
    quotient = (ends[0] - ends[1]) / (2.0 * _STEP)
    terms = np.abs(ends[0]) + np.abs(ends[1]) + np.abs(derivative) @ np.abs(point[0])
    noise = 64.0 * np.finfo(float).eps * terms / _STEP
    sizes = np.abs(derivative) @ np.abs(direction)
    largest = np.maximum(np.maximum(sizes, np.abs(quotient)), np.finfo(float).tiny)
    heard = noise <= _HEARD * largest
    if not np.isfinite(quotient).all() or not heard.any():
        return None
    miss = np.where(heard, np.abs(quotient - predicted), 0.0)
    worst = int(np.argmax(miss / largest))
    return bool((miss > _AGREE * (1.0 + sizes) + noise).any()), (predicted[worst], quotient[worst])
