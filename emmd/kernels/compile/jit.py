"""The one place that says how kernels are compiled.

Five decorators, all lazy (nothing compiles before the first call):

* :func:`kernel` for array kernels: loops that may be reassociated, hence vectorised;
* :func:`inlined` for the loops inside those that are worth no call of their own;
* :func:`allocating` for the kernels that make arrays of their own and hand them to those;
* :func:`deciding` for what such kernels do between passes over the data, with sums in the order written;
* :func:`scalar` for leaf functions of numbers, compiled so that LLVM puts them inside the loops of their
  callers without giving them the callers' licence to reassociate.

A function has two compiled forms, each made when it is first needed: the whole, which Python calls, and the
part, which other kernels call (see `emmd.kernels.compile.internals`). They are made with private names of
Numba's. On a version newer than those tested, or without one of the names, plain ``njit`` takes their place:
with the same results but for rounding, slower first starts and slower kernels.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
from collections.abc import Callable
from functools import cache
from types import CodeType, ModuleType
from typing import Any, TypeVar

import numba

__all__ = ["allocating", "deciding", "fetch_line", "in_shares", "inlined", "kernel", "named_after", "scalar"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_config: Any = numba.config  # its names are made at run time, out of sight of a type checker

TESTED = (0, 68)
"""The newest version of Numba, major and minor, that `emmd.kernels.compile.internals` was tested with."""

internals: Any = None
if tuple(int(part) for part in numba.__version__.split(".")[:2]) <= TESTED:
    # whatever has moved in a version that says it is the same
    with contextlib.suppress(ImportError, AttributeError):
        from emmd.kernels.compile import internals

# What each option buys: see the docstrings of `kernel` and `scalar`. All set all of them: a function without
# fastmath, error_model, forceinline or _nrt inherits these from whichever caller happens to compile it first.
_COMMON = {"nogil": True, "error_model": "numpy"}
_ALLOCATING = _COMMON | {"fastmath": False, "forceinline": False, "_nrt": True}
_DECIDING = _ALLOCATING | {"_nrt": False}
_KERNEL = _DECIDING | {"fastmath": {"reassoc", "nsz", "contract"}}
_INLINED = _KERNEL | {"forceinline": True}
_SCALAR = _COMMON | {"fastmath": {"contract"}, "forceinline": True, "_nrt": False}


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


def inlined(function: _Function) -> _Function:
    """Compile an array kernel that LLVM puts inside its callers, which are array kernels too.

    A call hands over seven to nine numbers for every array: the calls of a mixture's E-step took one part in
    twenty of its time. It is for loops over a block's rows that one or two kernels run.

    Parameters
    ----------
    function : callable
        As for `kernel`.

    Returns
    -------
    callable
        The compiled function, or ``function`` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _compiled(function, _INLINED)


def allocating(function: _Function) -> _Function:
    """Compile a kernel that makes arrays, for itself or to return them; loops over rows are not its work.

    Its sums keep the order they are written in.

    Parameters
    ----------
    function : callable
        As for `kernel`.

    Returns
    -------
    callable
        The compiled function, or ``function`` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _compiled(function, _ALLOCATING, compact=True)


def deciding(function: _Function) -> _Function:
    """Compile a kernel of a few numbers and vectors of parameters, without loops over rows: small code.

    Its sums keep the order they are written in, and products are not fused with them: such code ends up
    inside several others, where LLVM would choose among orders in one way or another.

    Parameters
    ----------
    function : callable
        As for `kernel`.

    Returns
    -------
    callable
        The compiled function, or ``function`` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _compiled(function, _DECIDING, compact=True)


@cache
def in_shares(chunk_kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that runs shares of a chunk kernel in Numba's threads, without Python in between.

    One share wakes nobody.

    Parameters
    ----------
    chunk_kernel : callable
        A kernel ``(first, last, partials, *arguments)``, see `emmd.kernels.rows.reduce`.

    Returns
    -------
    callable
        ``(edges, partials, *arguments)``: share k goes from chunk ``edges[k]`` to ``edges[k + 1]``.
    """

    @named_after(chunk_kernel)
    def shares(edges, partials, *arguments):
        count = edges.shape[0] - 1
        if count == 1:
            chunk_kernel(edges[0], edges[1], partials, *arguments)
            return
        for k in numba.prange(count):
            chunk_kernel(edges[k], edges[k + 1], partials, *arguments)

    return _compiled(shares, _ALLOCATING | {"parallel": True})


def named_after(*called: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Name a function, made for others that it calls, after these: the name of its file in the cache.

    Parameters
    ----------
    *called : callable
        All that tell it from others made by the same function. Code that is not emmd's own is named by its
        digest, for the folder of the cache knows of emmd's sources only.

    Returns
    -------
    callable
        A decorator, to be used below those that compile.
    """

    def rename(function: _Function) -> _Function:
        names = ".".join(map(_name, called))
        if len(names) > _LONG:
            # names of names grow, and a file whose name is too long is not written: nothing would be kept
            names = f"{names[:_LONG]}-{hashlib.sha256(names.encode()).hexdigest()[:16]}"
        function.__qualname__ = f"{names}.{function.__name__}"
        return function

    return rename


_LONG = 100
"""Characters of a name; those of a file have an end at 255 on most systems, and Numba adds to them."""


def _name(function):
    if function.__module__.startswith("emmd."):
        return f"{function.__module__}.{function.__qualname__}".removeprefix("emmd.kernels.")
    return f"{function.__name__}-{digest(function)}"


def digest(function: Any) -> str:
    """Return a hash of a function's code and of what it names, functions that it calls included."""
    found = hashlib.sha256()
    _add_to_digest(function, found, set())
    return found.hexdigest()[:16]


def _add_to_digest(value, found, seen):
    if isinstance(value, ModuleType):
        found.update(value.__name__.encode())
        return
    whole = inspect.unwrap(getattr(value, "py_func", value)) if callable(value) else value
    code = getattr(whole, "__code__", whole)
    if not isinstance(code, CodeType):
        found.update(repr(code).encode())
        return
    if code in seen:
        return
    seen.add(code)
    found.update(code.co_code + repr((code.co_names, code.co_varnames)).encode())
    for constant in code.co_consts:
        _add_to_digest(constant, found, seen)
    named = inspect.getclosurevars(whole) if inspect.isfunction(whole) else None
    for names in () if named is None else (named.nonlocals, named.globals):
        for name, each in sorted(names.items()):
            found.update(name.encode())
            _add_to_digest(each, found, seen)


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


def _compiled(function: _Function, options: dict[str, Any], compact: bool = False) -> _Function:
    if _config.DISABLE_JIT:
        return function
    # to whoever reads or checks a call, a kernel is the function that it was written as
    compile_kernel: Any = _plain if internals is None else internals.kernel
    return compile_kernel(function, options, compact)


def _plain(function, options, compact):
    """Compile by public means alone: Numba's own cache, beside the sources."""
    public = {name: value for name, value in options.items() if name not in ("_nrt", "forceinline")}
    try:
        return numba.njit(cache=True, **public)(function)
    except RuntimeError:
        # nothing can be kept where neither the sources' folder nor the user's can be written to
        return numba.njit(**public)(function)


def _fetch_nothing(array, place):
    pass


# what runs without the compiler, or by public means alone, fetches nothing ahead of its use
fetch_line: Any = getattr(internals, "fetch_line", None) or _compiled(_fetch_nothing, _SCALAR)
if _config.DISABLE_JIT:
    fetch_line = _fetch_nothing
