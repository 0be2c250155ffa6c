"""Problems from outside: the user's own model file, and models of installed packages."""

import traceback

import numpy as np

from emmd.core.checks import instance
from emmd.core.discover import discover, import_file, python_file
from emmd.core.problem import Problem
from emmd.core.protocols.model import Model
from emmd.experiments.cases.case import Case
from emmd.experiments.files.table import read_table
from emmd.theory.numeric.starts import best_start

_ROWS = 1000
"""Drawn from a model whose data are not given."""


def package_models():
    """Return the models that installed packages bring, by name: classes of one argument, `n_features`."""
    known = discover("emmd.models", Model, "emmd.models", classes=True)
    return {name: known.plugins[name] for name in known.outside}


def drawn_case(model, theta, seed, name, rows=_ROWS):
    """Return a `Case` on data drawn from a model at a parameter, started there.

    Raises
    ------
    ValueError
        For a model without a sampler.
    """
    try:
        X, y, *_ = model.sample(theta, rows, seed)
    except NotImplementedError:
        raise ValueError(f"{name} must give data or a model that can sample, got neither") from None
    return Case(
        name, Problem(model, X, y), theta, f"n = {rows} drawn from the model at theta0, seed = {seed}"
    )


def model_file_case(path, data=None, target=None, seed=0, rows=_ROWS):
    """Return the `Case` that a Python file of the user's defines.

    Parameters
    ----------
    path : str
        Defines ``problem``, an `emmd.Problem`; or ``model``, an `emmd.Model`; and may define ``theta0``, the
        start, which is the best of several random ones otherwise.
    data, target : str, optional
        A table, for a file with ``model``: its columns as they are, and one of ones where the model has one
        feature more. A file with ``model`` alone draws its data at ``theta0``.
    seed : int
    rows : int
        Drawn from a file's model.

    Raises
    ------
    ValueError, TypeError
        For a file that cannot be imported, or lacks what it must define.
    """
    file = python_file("--model-file", path)
    defined = _defined(file)
    if data is None and "problem" in defined:
        problem, note = _of_class(defined, "problem", Problem, file), f"defined in {file.name}"
    elif data is not None:
        problem, note = _on_table(_of_class(defined, "model", Model, file), data, target)
    else:
        model = _of_class(defined, "model", Model, file)
        return drawn_case(model, _start(defined, file), seed, file.name, rows)
    theta0 = defined["theta0"] if "theta0" in defined else best_start(problem, seed)
    return Case(file.name, problem, theta0, note)


def _defined(file):
    try:
        return vars(import_file(file))
    except (Exception, SystemExit) as error:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
        ]
        line = lines[-1] if lines else getattr(error, "lineno", "?")
        hint = " (pip install 'emmd[jax]')" if getattr(error, "name", None) == "jax" else ""
        raise ValueError(
            f"--model-file must be a file that can be imported, "
            f"got {file.name}, line {line}: {type(error).__name__}: {error}{hint}"
        ) from error


def _of_class(defined, name, kind, file):
    if name not in defined:
        raise ValueError(
            f"--model-file must define problem (an emmd.Problem), or model (an emmd.Model), which --data "
            f"needs; got {file.name} without {name}"
        )
    return instance(f"{name} in {file.name}", defined[name], kind, f"an emmd.{kind.__name__}")


def _start(defined, file):
    if "theta0" not in defined:
        raise ValueError(
            f"--model-file must define theta0 beside model, or come with --data: data are drawn at theta0; "
            f"got {file.name} without it"
        )
    return defined["theta0"]


def _on_table(model, data, target):
    table = read_table(data, target)
    X, note = table.X, f"{len(table.y)} rows, columns as they are"
    if getattr(model, "n_features", None) == X.shape[1] + 1:
        X, note = np.column_stack([X, np.ones(len(X))]), f"{note}, intercept added"
    return Problem(model, X, table.y), note
