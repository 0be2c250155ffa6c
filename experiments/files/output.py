"""Machine-readable output: plain JSON, to a file or to standard output."""

import dataclasses
import json
import sys
from enum import Enum
from pathlib import Path

import numpy as np


def plain(value):
    """Return a value as JSON knows it: arrays as lists, numbers as floats, non-finite numbers as null."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value


def write_json(value, destination):
    """Write a value as JSON to a file, or to standard output for ``"-"``.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    text = json.dumps(plain(value), indent=1)
    if destination == "-":
        sys.stdout.write(text + "\n")
        return
    try:
        Path(destination).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ValueError(f"--json must be a writable file, got {destination}: {error}") from error
