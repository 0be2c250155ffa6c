"""The version of the code that decides a run's numbers."""

import hashlib
from functools import cache
from pathlib import Path

import emmd
import theory

_SOURCES = {
    emmd: ("kernels", "core", "models", "algorithms", "data"),
    theory: ("numeric", "population"),
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
    folders = [Path(package.__file__).parent / name for package, names in _SOURCES.items() for name in names]
    here = Path(__file__).parent
    sources = [source for folder in folders for source in folder.rglob("*.py")]
    sources += [*here.glob("measures/*.py"), *here.glob("sources/*.py")]
    sources += [here / f"{name}.py" for name in ("execute", "sample", "seeds", "starts")]
    for source in sorted(sources):
        digest.update(f"\n# {source.parent.name}/{source.name}\n".encode())
        digest.update(source.read_bytes())
    return f"{emmd.__version__}+{digest.hexdigest()[:16]}"
