"""The version of the code that decides a run's numbers."""

import hashlib
from functools import cache
from pathlib import Path

import emmd

_SOURCES = (
    "emmd/kernels",
    "emmd/core",
    "emmd/models",
    "emmd/algorithms",
    "emmd/data",
    "emmd/estimators/evaluate.py",
    "emmd/starts.py",
    "theory/numeric",
    "theory/population",
    "experiments/natural_options.py",
    "experiments/snr/execute.py",
    "experiments/snr/held_out.py",
    "experiments/snr/measures",
    "experiments/snr/one_expert.py",
    "experiments/snr/sample.py",
    "experiments/snr/seeds.py",
    "experiments/snr/sources",
    "experiments/snr/starts.py",
)


@cache
def code_version():
    """Return the package version and a hash of every source file that a run's numbers depend on.

    Returns
    -------
    str
        For example ``0.1.0+1f3a5c7e9b2d4f60``.
    """
    digest = hashlib.sha256()
    root = Path(__file__).parents[2]
    for name in _SOURCES:
        for source in sorted((root / name).rglob("*.py")) or [root / name]:
            digest.update(f"\n# {source.relative_to(root).as_posix()}\n".encode())
            digest.update(source.read_bytes())
    return f"{emmd.__version__}+{digest.hexdigest()[:16]}"
