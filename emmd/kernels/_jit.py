"""The one place that says how kernels are compiled and where the machine code is kept.

Four decorators, all lazy (nothing compiles before the first call):

* :func:`kernel` for array kernels: loops that may be reassociated, hence vectorised;
* :func:`allocating` for the kernels that make arrays of their own and hand them to those;
* :func:`deciding` for what such kernels do between passes over the data;
* :func:`scalar` for leaf functions of numbers, compiled so that LLVM puts them inside the loops of their
  callers without giving them the callers' licence to reassociate.

Compiled code is kept on disk, in a folder whose name is a hash of every kernel source and of all the
settings that change code. Numba alone looks only at the file of the function it is asked for, so it would go
on using the old machine code of a kernel after a leaf function in another file has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

from emmd.kernels.compilers import CompactCompiler, WideCompiler

__all__ = [
    "allocating",
    "announce_compilation",
    "cache_folder",
    "deciding",
    "in_shares",
    "kernel",
    "named_after",
    "scalar",
]

_log = logging.getLogger("emmd")

_Function = TypeVar("_Function", bound=Callable[..., Any])
_config: Any = numba.config  # its names are made at run time, out of sight of a type checker

# What each option buys: see the docstrings of `kernel` and `scalar`. All set all of them: a function without
# fastmath, error_model, forceinline or _nrt inherits these from whichever caller happens to compile it first.
_COMMON = {"nogil": True, "error_model": "numpy"}
_ALLOCATING = _COMMON | {"fastmath": {"reassoc", "nsz", "contract"}, "forceinline": False, "_nrt": True}
_KERNEL = _ALLOCATING | {"_nrt": False}
_SCALAR = _COMMON | {"fastmath": {"contract"}, "forceinline": True, "_nrt": False}

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


def kernel(function: _Function) -> _Function:
    """Compile an array kernel: it reads and writes the arrays it is given, and makes none.

    So nobody counts references to arrays: that would cost as much as a few rows for every slice that is taken
    and every array that is passed on. The zero-division check is off (``error_model="numpy"``) because it
    blocks vectorisation; sums may be reassociated and products fused with sums, but NaN and infinity keep
    their meaning (full ``fastmath`` would break ``isnan``). Kernels release the GIL.

    Parameters
    ----------
    function : callable
        A module-level function; arguments that are functions never reach the disk cache.

    Returns
    -------
    callable
        The compiled function, or ``function`` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _compiled(function, _KERNEL)


def allocating(function: _Function) -> _Function:
    """Compile a kernel that makes arrays, for itself or to return them; loops over rows are not its work.

    Parameters
    ----------
    function : callable
        As for `kernel`.

    Returns
    -------
    callable
        The compiled function, or ``function`` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _compiled(function, _ALLOCATING)


def deciding(function: _Function) -> _Function:
    """Compile a kernel of a few numbers and vectors of parameters, without loops over rows: small code.

    Parameters
    ----------
    function : callable
        As for `kernel`.

    Returns
    -------
    callable
        The compiled function, or ``function`` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _compiled(function, _KERNEL, CompactCompiler)


@cache
def in_shares(chunk_kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that runs shares of a chunk kernel in Numba's threads, without Python in between.

    Parameters
    ----------
    chunk_kernel : callable
        A kernel ``(first, last, partials, *arguments)``, see `emmd.kernels.reduce`.

    Returns
    -------
    callable
        ``(edges, partials, *arguments)``: share k goes from chunk ``edges[k]`` to ``edges[k + 1]``.
    """

    @named_after(chunk_kernel)
    def shares(edges, partials, *arguments):
        for k in numba.prange(edges.shape[0] - 1):
            chunk_kernel(edges[k], edges[k + 1], partials, *arguments)

    return _compiled(shares, _ALLOCATING | {"parallel": True})


def named_after(called: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Name a function, made for one that it calls, after that one: the name of its file in the cache.

    Parameters
    ----------
    called : callable

    Returns
    -------
    callable
        A decorator, to be used below those that compile.
    """

    def rename(function: _Function) -> _Function:
        function.__qualname__ = f"{called.__module__}.{called.__qualname__}.{function.__name__}"
        return function

    return rename


def scalar(function: _Function) -> _Function:
    """Compile a leaf function of numbers that LLVM inlines into the loops of its callers.

    Inlining happens in LLVM (``forceinline``), where each instruction keeps the flags of the function it was
    written in: the two-part argument reductions of a leaf survive in a caller that may reassociate. Numba's
    own ``inline="always"`` would hand the caller's flags to the leaf, and without ``forceinline`` LLVM stops
    inlining at about the size of one exponential.

    Parameters
    ----------
    function : callable
        A module-level function of numbers; to let loops vectorise, choose with ``a if c else b``, never with
        a branch that does work.

    Returns
    -------
    callable
        The compiled function, or ``function`` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _compiled(function, _SCALAR)


def _compiled(function: _Function, options: dict[str, Any], compiler: type = WideCompiler) -> _Function:
    if _config.DISABLE_JIT:
        return function
    dispatcher = numba.njit(pipeline_class=compiler, **options)(function)
    dispatcher._compiler._customize_flags = _customize
    with _numba_cache_in(cache_folder()):
        dispatcher._cache = _KernelCache(function)
    return dispatcher


def _customize(flags):
    """Promise LLVM that arrays which a kernel writes overlap no other argument; leave out code for C callers.

    Without the promise a loop is vectorised behind a check of addresses, made for whole outer loops:
    neighbours in memory fail it, and the scalar loop sums in another order. The bits of a sum would depend on
    the heap.
    """
    flags.noalias = True
    flags.no_cfunc_wrapper = True
    return flags


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
    root = Path(__file__).parent
    for source in sorted(root.rglob("*.py")):
        digest.update(f"\n# {source.relative_to(root).as_posix()}\n".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _numba_cache_in(folder: Path) -> Iterator[None]:
    """Let Numba put what is decorated here into ``folder``; leave the user's own kernels alone."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        _config.CACHE_DIR = before


class _KernelCache(FunctionCache):
    """Numba's disk cache of a function, made safe for processes that fill it at the same time."""

    def __init__(self, function):
        super().__init__(function)
        locator = self._impl.locator
        self._cache_file = _OneFilePerKey(
            self.cache_path, self._impl.filename_base, locator.get_source_stamp()
        )

    def _index_key(self, sig, codegen):
        # Numba's own key pickles what a closure refers to, and no two processes pickle a kernel alike
        return sig, codegen.magic_tuple(), self._py_func.__qualname__

    def load_overload(self, sig, target_context):
        """Load machine code from disk; None means that it will be compiled now."""
        found = super().load_overload(sig, target_context)
        if found is None:
            announce_compilation()
        return found


class _OneFilePerKey(IndexDataCacheFile):
    """Store each signature under a name made from its key, without Numba's index file.

    Numba numbers the files of a function and keeps signature -> number in an index, which it reads, changes
    and writes back without a lock: two processes that compile different signatures both take number 1, and
    the index of one ends up pointing to the code of the other. A name that depends on the key alone needs no
    index, and the replacement of one whole file is atomic, so there is nothing to lock.
    """

    def save(self, key, data):
        # A full or vanished disk costs a compilation next time; it must not fail the computation.
        with contextlib.suppress(OSError):
            self._save_data(self._name(key), (key, data))

    def load(self, key):
        try:
            stored, data = self._load_data(self._name(key))
        except Exception:  # unpickling a damaged file may raise anything; compiling again mends it
            return None
        return data if stored == key else None

    def _name(self, key):
        digest = hashlib.sha256(repr((self._source_stamp, key)).encode())
        return self._data_name(int(digest.hexdigest()[:15], 16))
