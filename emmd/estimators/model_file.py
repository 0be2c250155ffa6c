"""A fitted estimator as a JSON file: exact numbers, no code, safe to load from anywhere."""

import dataclasses
import json

import numpy as np

from emmd.core.checks import describe, file_path
from emmd.core.status import Status
from emmd.estimators.base import MixtureOfExpertsBase
from emmd.estimators.classifier import MixtureOfExpertsClassifier
from emmd.estimators.regressor import MixtureOfExpertsRegressor
from emmd.estimators.units import Units

FORMAT = "emmd mixture of experts, version 2"
"""What the first entry of a model file says."""

_KINDS = {kind.__name__: kind for kind in (MixtureOfExpertsClassifier, MixtureOfExpertsRegressor)}
_NOT_KEPT = ("callback", "random_state")


def save_model(estimator, path):
    """Write a fitted estimator to a JSON file.

    Parameters
    ----------
    estimator : MixtureOfExpertsRegressor or MixtureOfExpertsClassifier
    path : str or Path

    Raises
    ------
    TypeError
        For another object, or one that is not fitted.
    ValueError
        For a family that is not known by name, or a file that cannot be written.

    Notes
    -----
    Callback and random state are not kept.
    """
    if not isinstance(estimator, MixtureOfExpertsBase) or not hasattr(estimator, "_theta"):
        raise TypeError(f"estimator must be a fitted emmd estimator, got {describe(estimator)}")
    path = file_path("path", path)
    parameters = {k: v for k, v in estimator.get_params().items() if k not in _NOT_KEPT}
    if not isinstance(parameters.get("family", ""), str):
        raise ValueError("family must be known by name to be written to a file, got a Family object")
    fitted = {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_")
    }
    document = {
        "format": FORMAT,
        "kind": type(estimator).__name__,
        "parameters": parameters,
        "units": dataclasses.asdict(estimator._units),
        "theta": estimator._theta,
        "fitted": fitted,
    }
    try:
        path.write_text(json.dumps(_encoded(document), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ValueError(f"path must be a file that can be written, got {path}: {error}") from error


def load_model(path):
    """Return the estimator that `save_model` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    MixtureOfExpertsRegressor or MixtureOfExpertsClassifier
        Fitted; its predictions equal those of the one that was saved, to the last bit.

    Raises
    ------
    ValueError
        For a file that is missing, damaged or something else.
    """
    path = file_path("path", path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"path must be a model file of emmd, got {path}: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"path must be a model file of emmd that says {FORMAT!r}, got another file: {path}")
    try:
        return _restored(_decoded(document))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"path must be an undamaged model file, got {path}: {error!r}") from error


def _restored(document):
    estimator = _KINDS[document["kind"]](**document["parameters"])
    for name, value in document["fitted"].items():
        setattr(estimator, name, value)
    estimator.status_ = Status[document["fitted"]["status_"]]
    estimator._restore(Units(**document["units"]), document["theta"])
    return estimator


def _encoded(value):
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": "str" if value.dtype.kind in "OU" else value.dtype.str}
    if isinstance(value, dict):
        return {name: _encoded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(part) for part in value]
    if isinstance(value, Status):
        return value.name
    return value.item() if isinstance(value, np.generic) else value


def _decoded(value):
    if isinstance(value, dict):
        if set(value) == {"array", "dtype"}:
            return np.array(value["array"], dtype=value["dtype"])
        return {name: _decoded(part) for name, part in value.items()}
    return [_decoded(part) for part in value] if isinstance(value, list) else value
