"""Which proofs have succeeded, kept on disk under a digest of all that they are made of."""

import hashlib
import json
import os
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

from emmd.kernels.compile.disk_cache import cache_base

_FOLDER = Path(__file__).parent / "symbolic"


def proved(label: str, model: str) -> bool:
    """Return whether a statement has a symbolic proof for a model, from the disk where that says so.

    Parameters
    ----------
    label, model : str
        See `emmd.theory.symbolic.prove`.

    Notes
    -----
    A proof takes sympy seconds, and is the same each time. Only successes are kept, under a digest of the
    sources of theory/symbolic and of sympy's version; a file that was changed is not read.
    """
    name = f"{label} {model}"
    if name in _read():
        return True
    # sympy takes a third of a second to import: only where there is something to prove
    from emmd.theory.symbolic import prove

    if not prove(label, model).proved:
        return False
    _write({name, *_read()})
    return True


@cache
def _path():
    found = hashlib.sha256(version("sympy").encode())
    for source in sorted(_FOLDER.rglob("*.py")):
        found.update(f"\n# {source.relative_to(_FOLDER).as_posix()}\n".encode() + source.read_bytes())
    return cache_base() / f"proofs-{found.hexdigest()[:16]}.json"


def _seal(names):
    return hashlib.sha256(f"{_path().name} {sorted(names)}".encode()).hexdigest()


def _read():
    try:
        names, seal = json.loads(_path().read_text(encoding="utf-8"))
        return set(names) if seal == _seal(names) else set()
    except (OSError, ValueError, TypeError):
        return set()


def _write(names):
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump([sorted(names), _seal(names)], file)
        os.replace(file.name, path)
    except OSError:
        # a disk that is full costs the proofs again next time
        return
