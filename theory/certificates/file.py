"""The file of a certificate: JSON with exact floats, a digest of itself, and one way to write each value."""

import hashlib
import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from emmd.core.checks import file_path

FORMAT = "emmd certificate 1"

_PROOF = ("whitened_radius", "convexity", "cubic", "power", "level_cubic")
_LONGEST = 10_000_000
"""Characters: a start and an optimum of 1e5 parameters take less."""


def write(path: str | PathLike, numbers: dict) -> None:
    """Write a certificate's numbers; a ValueError for a file that cannot be written."""
    try:
        file_path("path", path).write_text(text_of(numbers), encoding="utf-8")
    except OSError as error:
        raise ValueError(f"path must be a file that can be written, got {path}: {error}") from error


def text_of(numbers: dict) -> str:
    """Return the only text that stands for these numbers: floats as their shortest exact decimals."""
    plain = {name: _plain(value) for name, value in numbers.items()}
    body = {"format": FORMAT, **plain}
    seal = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return json.dumps({**body, "seal": seal}, indent=1, sort_keys=True) + "\n"


def _plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def read(path: str | PathLike) -> tuple[dict, str]:
    """Return the numbers in a file, and what shows that it was changed, or "".

    Raises
    ------
    ValueError
        For a file that cannot be read or holds no certificate.
    """
    text = _text(file_path("path", path))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"path must be a certificate's file, got {path}: it is not JSON, {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"path must be a file of the format {FORMAT!r}, got {path}")
    found.pop("format")
    found.pop("seal", None)
    try:
        numbers = _numbers(found)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"path must be a certificate's file, got {path}: {error}") from None
    same = text == text_of(numbers)
    return numbers, "" if same else "the file is not what was saved: its seal is broken"


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LONGEST:
            raise ValueError(f"path must be a certificate's file, got {path}: it is too long")
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"path must be a file that can be read, got {path}: {error}") from None


def _numbers(found: dict) -> dict[str, Any]:
    texts = {name: _of_type(found, name, str) for name in ("model", "reason", "digest")}
    floats = ("radius", "error", "basin_rate", "basin_level", "basin_radius")
    numbers = {name: _float(found.pop(name)) for name in floats}
    proof = _of_type(found, "proof", dict)
    ordered = {
        "certified": _of_type(found, "certified", bool),
        "start": _vector(found.pop("start")),
        "optimum": _vector(found.pop("optimum")),
        "rate": _pair(found.pop("rate")),
        "steps": _of_type(found, "steps", int),
        "proof": {name: _float(proof[name]) for name in _PROOF} if proof else {},
    }
    if found or not set(proof) <= set(_PROOF):
        raise ValueError(f"it holds unknown entries {sorted([*found, *(proof.keys() - set(_PROOF))])}")
    return texts | numbers | ordered


def _of_type(found, name, kind):
    value = found.pop(name)
    # True is an int to Python
    if type(value) is not kind:
        raise ValueError(f"{name} must be of type {kind.__name__}")
    return value


def _float(value):
    if type(value) not in (int, float):
        raise ValueError("a number was expected")
    return float(value)


def _vector(values):
    return np.array([_float(value) for value in values], dtype=np.float64)


def _pair(values):
    lower, upper = values
    return _float(lower), _float(upper)
