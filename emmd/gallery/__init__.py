"""Latent-variable models to start from: each is one file with a model, data and a start.

The files stand in folders by kind: mixtures, factors, incomplete. A module with a function ``load(seed=...)``
that returns ``(problem, theta0)`` is all that a model of the gallery is; its name is the file's, with dashes.
"""

import pkgutil
from importlib import import_module
from typing import Any

import numpy as np

from emmd.core.checks import known_name
from emmd.core.problem import Problem

__all__ = ["load", "names"]


def names() -> list[str]:
    """Return the names that `load` knows."""
    return sorted(_files())


def load(name: str, seed: Any = 0) -> tuple[Problem, np.ndarray]:
    """Return a problem and a start.

    Parameters
    ----------
    name : str
        One of `names`.
    seed : int
        Of the data, where they are drawn.

    Returns
    -------
    problem : emmd.Problem
    theta0 : ndarray of shape (p,)

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known one; where JAX, the extra ``jax``, is not installed.

    Examples
    --------
    >>> problem, theta0 = emmd.gallery.load("probit")
    >>> emmd.minimize(problem, theta0).success
    True
    """
    files = _files()
    file = files[known_name("name", name, files)]
    try:
        module: Any = import_module(file)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("jax", "jaxlib"):
            raise
        raise ValueError(f"gallery model {name!r} needs JAX: pip install 'emmd[jax]'") from error
    return module.load(seed=seed)


def _files():
    """Return the modules in the folders of the gallery by name."""
    return {
        file.name.replace("_", "-"): f"{folder.name}.{file.name}"
        for folder in pkgutil.iter_modules(__path__, f"{__name__}.")
        if folder.ispkg
        for file in pkgutil.iter_modules(import_module(folder.name).__path__)
    }
