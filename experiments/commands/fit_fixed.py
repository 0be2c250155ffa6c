"""Parameters that `emmd fit` is to hold, read from what an earlier `emmd fit --json` wrote."""

import json
from pathlib import Path

from emmd.estimators.known import EXPERTS, GATE


def fixed_values(gate, experts):
    """Return the estimator's ``fixed``, or None without a file.

    Parameters
    ----------
    gate, experts : str or None
        JSON files: an object with ``gate_coef`` and ``gate_intercept``, or with ``coef``, ``intercept``
        and, where there is one, ``dispersion``; also under ``params``, where `emmd fit --json` writes them.

    Raises
    ------
    ValueError
        For both files at once, and for one that cannot be read or holds none of the names.
    """
    if gate is not None and experts is not None:
        raise ValueError(
            "--fixed-gate and --fixed-experts must not be given together: nothing would be left to fit"
        )
    if gate is not None:
        return _read("--fixed-gate", gate, GATE)
    return None if experts is None else _read("--fixed-experts", experts, EXPERTS)


def _read(option, path, names):
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{option} must be a readable JSON file, got {path}: {error}") from error
    values = document.get("params", document) if isinstance(document, dict) else {}
    found = {
        name: values[name] for name in names if isinstance(values, dict) and values.get(name) is not None
    }
    if not found:
        raise ValueError(f"{option} must be a JSON file with {', '.join(names)}, got none of them in {path}")
    return found
