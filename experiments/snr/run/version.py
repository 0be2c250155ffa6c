"""The version of the code that decides a run's numbers."""

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path

import emmd

_SOURCES = {
    "emmd": (
        "algorithms",
        "core",
        "data",
        "estimators/evaluate.py",
        "estimators/starts",
        "fits",
        "kernels",
        "models",
        "rows",
    ),
    "emmd.theory": ("numeric", "population"),
    "emmd.experiments": (
        "commands/natural_options.py",
        "snr/measures",
        "snr/plan",
        "snr/run/execute.py",
        "snr/sources",
    ),
}


@cache
def code_version():
    """Return the package version and a hash of every source file that a run's numbers depend on.

    Returns
    -------
    str
        For example ``0.1.0+1f3a5c7e9b2d4f60``.
    """
    digest = hashlib.sha256()
    for package, parts in _SOURCES.items():
        root = Path(*import_module(package).__path__)
        for part in parts:
            for source in sorted((root / part).rglob("*.py")) or [root / part]:
                digest.update(f"\n# {package}/{source.relative_to(root).as_posix()}\n".encode())
                digest.update(source.read_bytes())
    return f"{emmd.__version__}+{digest.hexdigest()[:16]}"
