"""Where compiled kernels are kept on disk.

Compiled code is kept in a folder whose name is a hash of every kernel source and of all the
settings that change code. Numba alone looks only at the file of the function it is asked for, so it would go
on using the old machine code of a kernel after a leaf function in another file has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, InTreeCacheLocator
from numba.core.runtime import rtsys

from emmd.kernels.compile.compilers import rebuilt_part

_log = logging.getLogger("emmd")

_config: Any = numba.config  # its names are made at run time, out of sight of a type checker

# Numba settings (environment variables NUMBA_<name>) that change the code generated from the same source.
_SETTINGS = (
    "BOUNDSCHECK",
    "CPU_FEATURES",
    "CPU_NAME",
    "DEBUGINFO_DEFAULT",
    "ENABLE_AVX",
    "LOOP_VECTORIZE",
    "OPT",
    "SLP_VECTORIZE",
)


@cache
def cache_folder() -> Path:
    """Folder of the compiled kernels, made on first use.

    Returns
    -------
    Path
        ``<base>/<hash>`` with base ``$EMMD_CACHE_DIR``, or else ``$XDG_CACHE_HOME/emmd``, or else
        ``~/.cache/emmd``; when that cannot be written to, a private folder below ``tempfile.gettempdir()``.
    """
    folder = _base() / _fingerprint()
    if _writable(folder):
        return folder
    return _temporary_base() / folder.name


@cache
def announce_compilation() -> None:
    """Say in one line, once, that kernels are being compiled, if none is on disk yet.

    The line goes to the logger ``emmd`` as a warning: without any set-up of logging it appears on standard
    error, for a first result that takes many seconds without a word looks like a program that hangs.
    """
    if not any(cache_folder().rglob("*.nbc")):
        _log.warning("emmd: compiling the kernels, once on this machine: up to half a minute")


def _base() -> Path:
    chosen = os.environ.get("EMMD_CACHE_DIR")
    if chosen:
        return Path(os.path.expanduser(chosen)).absolute()
    shared = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(shared, "emmd").absolute()


def _temporary_base() -> Path:
    """Cached code is run, so a folder that another user could have filled must not be trusted."""
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir(), f"emmd-{owner}")
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        if owner == "user" or folder.lstat().st_uid == owner:
            return folder
    return Path(tempfile.mkdtemp(prefix="emmd-"))


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _fingerprint() -> str:
    """Hash of the kernel sources, the compiler's versions and the settings that change code."""
    settings = [f"{name}={getattr(_config, name, None)}" for name in _SETTINGS]
    digest = hashlib.sha256(repr((numba.__version__, llvmlite.__version__, settings)).encode())
    root = Path(__file__).parents[1]
    for source in sorted(root.rglob("*.py")):
        digest.update(f"\n# {source.relative_to(root).as_posix()}\n".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


_DIGEST_BYTES = hashlib.sha256().digest_size


class _Locator(InTreeCacheLocator):
    """Says that everything lies in `cache_folder`, wherever the user's own kernels are kept."""

    def __init__(self, py_func, py_file):
        super().__init__(py_func, py_file)
        self._cache_path = str(cache_folder() / self.get_suitable_cache_subpath(py_file))

    def ensure_cache_path(self):
        # Numba's own refuses to compile where nothing can be kept
        with contextlib.suppress(OSError):
            Path(self._cache_path).mkdir(parents=True, exist_ok=True)


class _WholeImpl(CompileResultCacheImpl):
    _locator_classes: Any = (_Locator,)


class _PartImpl(_WholeImpl):
    def rebuild(self, target_context, payload):
        return rebuilt_part(target_context, payload)


class KernelCache(FunctionCache):
    """Numba's disk cache of a function, made safe for processes that fill it at the same time.

    Parameters
    ----------
    function : callable
    marks : tuple
        How it is compiled: two ways to compile one function must not be mixed up.
    """

    _impl_class: Any = _WholeImpl

    def __init__(self, function, marks):
        super().__init__(function)
        self._marks = marks
        locator = self._impl.locator
        self._cache_file = _OneFilePerKey(
            self.cache_path, self._impl.filename_base, locator.get_source_stamp()
        )

    def _index_key(self, sig, codegen):
        # Numba's own key pickles what a closure refers to, and no two processes pickle a kernel alike
        return sig, codegen.magic_tuple(), self._py_func.__qualname__, self._marks

    def load_overload(self, sig, target_context):
        """Load machine code from disk; None means that it will be compiled now."""
        # Numba's own readies the compiler, which a process that finds all its kernels here never needs: it
        # would have its first result a fifth of a second later. A compilation readies the compiler anyway
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
        if found is None:
            announce_compilation()
        return found

    def _load_overload(self, sig, target_context):
        try:
            return super()._load_overload(sig, target_context)
        except Exception:  # whatever a library that has changed under its version number may raise
            return None

    def save_overload(self, sig, data):
        """Keep machine code on disk, where there is room for it."""
        # A full or vanished disk costs a compilation next time; it must not fail the computation.
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)


class PartCache(KernelCache):
    """The same for functions that are compiled as parts of other kernels."""

    _impl_class: Any = _PartImpl


class _OneFilePerKey(IndexDataCacheFile):
    """Store each signature under a name made from its key, without Numba's index file.

    Numba numbers the files of a function and keeps signature -> number in an index, which it reads, changes
    and writes back without a lock: two processes that compile different signatures both take number 1, and
    the index of one ends up pointing to the code of the other. A name that depends on the key alone needs no
    index, and the replacement of one whole file is atomic, so there is nothing to lock.

    Each file begins with the digest of the rest, which is code to be run: a flipped bit may end the program.
    """

    def save(self, key, data):
        self._save_data(self._name(key), (key, data))

    def load(self, key):
        try:
            file = Path(self._data_path(self._name(key))).read_bytes()
        except OSError:
            return None
        digest, content = file[:_DIGEST_BYTES], file[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        stored, data = pickle.loads(content)
        return data if stored == key else None

    def _dump(self, obj):
        content = super()._dump(obj)
        return hashlib.sha256(content).digest() + content

    def _name(self, key):
        digest = hashlib.sha256(repr((self._source_stamp, key)).encode())
        return self._data_name(int(digest.hexdigest()[:15], 16))
