"""A user's functions are tried before anything else: what is wrong with them is said in one sentence."""

from typing import Any

import numpy as np

from emmd.models.latent.rows import row_of

_STEP = 1e-5
_AGREE = 1e-4
"""Of a derivative and a difference quotient."""

_NAMES = "natural_parameters", "log_partition", "log_numerator"


def try_functions(model: Any, data: Any, theta: np.ndarray) -> None:
    """Raise a ValueError or TypeError where a function of a `LatentModel` is not what it should be.

    Parameters
    ----------
    model : LatentModel
    data : LatentData
    theta : ndarray of shape (p,)
        A point of the domain.
    """
    functions = dict(zip(_NAMES, model._functions))
    x, y = row_of(data.X, 0), row_of(data.y, 0)
    eta = _called("natural_parameters", functions, theta, x)
    if eta.ndim != 1:
        raise ValueError(f"natural_parameters must return an array of shape (D,), got shape {eta.shape}")
    _number("log_partition", _called("log_partition", functions, eta))
    _number("log_numerator", _called("log_numerator", functions, eta, y))
    says = not_finite(model, data, theta)
    if says:
        raise ValueError(says)
    _try_derivatives(model, data, theta)


def _called(name, functions, *arguments):
    """Return a function's value at one row; two calls must agree to the last bit."""
    first, second = (_plain(functions[name], arguments) for _ in range(2))
    if first.dtype != np.float64:
        raise TypeError(f"{name} must compute in double precision, got {first.dtype} in row 0")
    if not np.array_equal(first, second, equal_nan=True):
        raise ValueError(f"{name} must depend on its arguments alone, got two values in row 0 from two calls")
    return first


def _plain(function, arguments):
    try:
        import jax
    except ImportError:
        return np.asarray(function(*arguments))
    with jax.enable_x64(True):
        return np.asarray(function(*arguments))


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


def _try_derivatives(model, data, theta):
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
    """Raise where every difference quotient that rounding leaves a say disagrees with the derivative."""
    slope = np.abs(derivative).reshape(-1, point.shape[1]).max(axis=0)
    direction, reach = rng.standard_normal(point.shape[1]), 1.0 + np.abs(point[0])
    # a log of masses with slope g bends over a length of 1 / g; one of small slope may hide a large one
    directions = direction / np.maximum(slope, 1.0 / reach), direction / max(slope.max(), 1.0 / reach.max())
    found = [_disagreement(value, derivative, point, each) for each in directions]
    told = [each for each in found if each is not None]
    if told and all(off for off, _ in told):
        predicted, quotient = told[-1][1]
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
    if not np.isfinite(quotient).all() or np.max(noise / np.maximum(sizes, 1e-300)) > 0.1:
        return None
    miss = np.abs(quotient - predicted)
    worst = int(np.argmax(miss / np.maximum(sizes, 1e-300)))
    return bool((miss > _AGREE * (1.0 + sizes) + noise).any()), (predicted[worst], quotient[worst])
