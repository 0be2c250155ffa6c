"""Sums over rows that NumPy and JAX take alike: what a model says at one parameter, pulled back to theta."""

from typing import Any


def pulled_back(weights: Any, vectors: Any, jacobian: Any) -> Any:
    """Return E[J' vectors], shape (p,), for vectors of shape (n, D) and J of shape (n, D, p)."""
    return (weights[:, None] * vectors).reshape(-1) @ jacobian.reshape(-1, jacobian.shape[2])


def quadratic(weights: Any, curvature: Any, jacobian: Any) -> Any:
    """Return E[J' curvature J], shape (p, p), for a curvature of shape (n, D, D)."""
    p = jacobian.shape[2]
    weighted = weights[:, None, None] * (curvature @ jacobian)
    found = weighted.reshape(-1, p).T @ jacobian.reshape(-1, p)
    return 0.5 * (found + found.T)


def mean_squares(weights: Any, mean: Any, covariance: Any, jacobian: Any) -> Any:
    """Return E[(|J|' r)^2], shape (p,), r the root mean squares of S under the model."""
    spread = covariance.diagonal(axis1=1, axis2=2).clip(0.0)
    slopes = (((mean**2 + spread) ** 0.5)[:, None] @ abs(jacobian))[:, 0]
    return weights @ slopes**2


def second_order(
    weights: Any, mean: Any, jacobian: Any, covariance: Any, rounded_means: Any
) -> tuple[Any, Any, Any, Any, Any]:
    """Return grad A, J, E[J' hess A J], `mean_squares`, and what roundings change in E[J' grad A], (k, p).

    Parameters
    ----------
    weights : array of shape (n,)
    mean, jacobian, covariance : array
        grad A (n, D), J (n, D, p) and hess A (n, D, D).
    rounded_means : list of k arrays of shape (n, D)
        grad A where theta and eta are rounded.
    """
    noise = [abs(pulled_back(weights, each - mean, jacobian)) for each in rounded_means]
    information = quadratic(weights, covariance, jacobian)
    return mean, jacobian, information, mean_squares(weights, mean, covariance, jacobian), noise
