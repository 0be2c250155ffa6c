"""A fitted estimator as a JSON file: exact numbers, no code, safe to load from anywhere."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from emmd.core.checks import describe, file_path, real_array
from emmd.core.status import Status
from emmd.estimators.base import MixtureOfExpertsBase
from emmd.estimators.classifier import MixtureOfExpertsClassifier
from emmd.estimators.regressor import MixtureOfExpertsRegressor
from emmd.estimators.units import Units

FORMAT = "emmd mixture of experts, version 5"
"""What the first entry of a model file says."""

_KINDS = {kind.__name__: kind for kind in (MixtureOfExpertsClassifier, MixtureOfExpertsRegressor)}
_NOT_KEPT = ("callback", "random_state")
_NONE = type(None)
_FITTED: dict[str, tuple[type, ...]] = {
    "n_features_in_": (int,),
    "feature_names_in_": (np.ndarray, _NONE),
    "classes_": (np.ndarray, _NONE),
    "starts_": (list,),
    "best_start_": (int,),
    "status_": (str,),
    "converged_": (bool,),
    "n_iter_": (int,),
    "trace_": (np.ndarray,),
    "loglik_": (float,),
    "entropy_": (float,),
    "n_observations_": (float,),
    "coef_": (np.ndarray,),
    "intercept_": (np.ndarray,),
    "gate_coef_": (np.ndarray,),
    "gate_intercept_": (np.ndarray,),
    "dispersion_": (np.ndarray, _NONE),
    "df_": (np.ndarray, _NONE),
    "target_names_": (np.ndarray, _NONE),
    "em_rate_": (float, _NONE),
    "standard_errors_": (dict, _NONE),
    "standard_errors_message_": (str,),
}
"""The attributes that are kept, with their types."""

_OPTIONAL = ("feature_names_in_", "classes_", "df_", "target_names_")
"""Attributes that an estimator may not have; None stands for them."""

_LARGEST = 1 << 28
"""Bytes of a file, and characters of an array of text."""


def save_model(estimator: Any, path: str | Path) -> None:
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
        For a family that is not known by name, what is not numbers and text, or a file that cannot be
        written.

    Notes
    -----
    Callback and random state are not kept.
    """
    if isinstance(estimator, Pipeline):
        raise TypeError(
            "estimator must be a fitted emmd estimator, got a Pipeline: save its last step, pipeline[-1], "
            "and keep what comes before it as scikit-learn does"
        )
    if not isinstance(estimator, MixtureOfExpertsBase) or not hasattr(estimator, "_theta"):
        raise TypeError(f"estimator must be a fitted emmd estimator, got {describe(estimator)}")
    path = file_path("path", path)
    parameters = {k: v for k, v in estimator.get_params().items() if k not in _NOT_KEPT}
    if not isinstance(parameters.get("family", ""), str):
        raise ValueError("family must be known by name to be written to a file, got a Family object")
    content = {
        "format": FORMAT,
        "kind": type(estimator).__name__,
        "parameters": parameters,
        "units": dataclasses.asdict(estimator._units),
        "theta": estimator._theta,
        "covariance": estimator._covariance,
        "grouped": estimator._grouped,
        "fitted": {name: getattr(estimator, name, None) for name in _FITTED},
    }
    try:
        content = _encoded(content)
        text = json.dumps({**content, "checksum": _checksum(content)}, indent=1) + "\n"
    except TypeError as error:
        raise ValueError(f"estimator must hold numbers and text alone to be written: {error}") from error
    if len(text) > _LARGEST:
        raise ValueError(f"estimator must fit into {_LARGEST} bytes of text, got {len(text)}")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"path must be a file that can be written, got {path}: {error}") from error


def load_model(path: str | Path) -> Any:
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
        For a file that is missing, damaged, of another version or something else.
    """
    path = file_path("path", path)
    try:
        return _restored(_decoded(_checked(json.loads(_text(path)))))
    except Exception as error:  # what a damaged file may raise cannot be listed
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"path must be an undamaged model file of emmd, got {path}: {reason}") from error


def _text(path):
    if not path.is_file():
        raise ValueError("no such file")
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST} bytes")
    return content.decode("utf-8")


def _checked(document):
    """Return a document without its checksum, which must be that of the rest."""
    form = document.get("format") if isinstance(document, dict) else None
    if form != FORMAT:
        raise ValueError(f"it must say {FORMAT!r}, and says {form!r}")
    written = document.pop("checksum", None)
    if written != _checksum(document):
        raise ValueError("it is not as it was written: its checksum is another one")
    return document


def _checksum(content):
    """Return the SHA-256 of what a document says, however it is laid out."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _restored(document):
    """Return the estimator. A checksum can be forged: nothing is made whose size the file does not show."""
    _require_keys(
        document,
        {"format", "kind", "parameters", "units", "theta", "covariance", "grouped", "fitted"},
        "the file",
    )
    kind = _KINDS[document["kind"]]
    parameters, fitted, units = document["parameters"], document["fitted"], _units(document["units"])
    _require_keys(parameters, set(kind().get_params()) - set(_NOT_KEPT), "parameters")
    _require_keys(fitted, set(_FITTED), "fitted")
    for name, types in _FITTED.items():
        _require(type(fitted[name]) in types, f"{name} is of type {type(fitted[name]).__name__}")
    slopes = fitted["coef_"]
    _require(type(parameters["n_experts"]) is int, "n_experts is no whole number")
    _require(slopes.ndim > 1 and parameters["n_experts"] == len(slopes), "n_experts does not fit coef_")
    features = {slopes.shape[-1], units.n_features, fitted["n_features_in_"]}
    _require(len(features) == 1, f"the number of features differs: {sorted(features)}")
    m = np.shape(units.y_scale)
    fits = not m or (slopes.shape[1:-1] == m and np.shape(fitted["dispersion_"]) == (len(slopes), *m, *m))
    _require(fits, "the number of targets differs")
    estimator = kind(**parameters)
    for name, value in fitted.items():
        if value is not None or name not in _OPTIONAL:
            setattr(estimator, name, value)
    estimator.status_ = Status[fitted["status_"]]
    estimator._restore(units, document["theta"])
    _require(type(document["grouped"]) is bool, "grouped is neither true nor false")
    estimator._grouped = document["grouped"]
    spread, p = document["covariance"], len(estimator._theta)
    estimator._covariance = None if spread is None else real_array("covariance", spread, 2, (p, p))
    return estimator


def _units(plain):
    _require_keys(plain, {field.name for field in dataclasses.fields(Units)}, "units")
    turns = {name: _turn(plain[name], len(plain[name[:-5]]), name) for name in ("expert_turn", "gate_turn")}
    units = Units(**(plain | turns))
    columns = {"kept": units.n_features, "dropped": units.n_features}
    columns |= {"expert": len(units.kept), "gate": len(units.kept)}
    for name, count in columns.items():
        places = getattr(units, name)
        whole = isinstance(places, np.ndarray) and places.ndim == 1 and places.dtype.kind == "i"
        _require(whole and (places >= 0).all() and (places < count).all(), f"units.{name} names no columns")
    exposure = units.exposure
    _require(
        exposure is None or (type(exposure) is int and 0 <= exposure < units.n_features), "units.exposure"
    )
    targets = np.shape(units.y_scale)
    _require(len(targets) < 2, "units.y_scale has another shape")
    for name in ("centre", "scale", "y_centre", "y_scale"):
        value = np.asarray(getattr(units, name))
        shape = targets if name.startswith("y_") else units.kept.shape
        _require(value.dtype == float and value.shape == shape, f"units.{name} has another shape or type")
        _require(np.isfinite(value).all() and (value > 0).all() | ("centre" in name), f"units.{name}")
    return units


def _turn(turn, n_columns, name):
    """Return a map from columns; JSON forgets the shape of an array without entries."""
    if turn is None:
        return None
    _require(isinstance(turn, np.ndarray) and turn.dtype == float, f"units.{name} holds no numbers")
    turn = turn.reshape(n_columns, -1) if n_columns else turn.reshape(0, 0)
    _require(turn.shape[1] <= n_columns and bool(np.isfinite(turn).all()), f"units.{name} has another size")
    return turn


def _require_keys(plain, names, place):
    _require(isinstance(plain, dict) and set(plain) == names, f"{place} must hold {', '.join(sorted(names))}")


def _require(condition, otherwise):
    if not condition:
        raise ValueError(otherwise)


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
            return _array(value["array"], value["dtype"])
        return {name: _decoded(part) for name, part in value.items()}
    return [_decoded(part) for part in value] if isinstance(value, list) else value


def _array(entries, kind):
    if kind == "str":
        _require(all(type(entry) is str for entry in entries), "an array of text holds something else")
        # all entries of an array take as much room as the longest
        _require(len(entries) * max(map(len, entries), default=0) <= _LARGEST, "a text is too long")
        return np.array(entries, dtype=str)
    dtype = np.dtype(kind)
    _require(dtype.kind in "fiub", f"an array of type {kind!r}")
    return np.array(entries, dtype=dtype)
