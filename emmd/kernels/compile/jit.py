"""The one place that says how kernels are compiled.

Five decorators, all lazy (nothing compiles before the first call):

* :func:`kernel` for array kernels: loops that may be reassociated, hence vectorised;
* :func:`inlined` for the loops inside those that are worth no call of their own;
* :func:`allocating` for the kernels that make arrays of their own and hand them to those;
* :func:`deciding` for what such kernels do between passes over the data, with sums in the order written;
* :func:`scalar` for leaf functions of numbers, compiled so that LLVM puts them inside the loops of their
  callers without giving them the callers' licence to reassociate.

A function has two compiled forms, each made when it is first needed: the whole, which Python calls, and the
part, which other kernels call (see `emmd.kernels.compile.compilers`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types

from emmd.kernels.compile.atomic import fetch_and_add
from emmd.kernels.compile.compilers import CompactCompiler, WideCompiler
from emmd.kernels.compile.disk_cache import KernelCache, PartCache

__all__ = ["Kernel", "allocating", "deciding", "in_shares", "inlined", "kernel", "named_after", "scalar"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_config: Any = numba.config  # its names are made at run time, out of sight of a type checker

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
    return _compiled(function, _ALLOCATING, CompactCompiler)


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
    return _compiled(function, _DECIDING, CompactCompiler)


@cache
def in_shares(chunk_kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that runs shares of a chunk kernel in Numba's threads, without Python in between.

    Each thread takes chunk after chunk of its own share, and then of the others' shares what is left there:
    a thread that the system has interrupted does not hold up the rest. One share wakes nobody.

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
        begun = np.empty(count, np.int64)
        for k in range(count):
            begun[k] = edges[k]
        for k in numba.prange(count):
            for turn in range(count):
                share = (k + turn) % count
                chunk = fetch_and_add(begun, share)
                while chunk < edges[share + 1]:
                    chunk_kernel(chunk, chunk + 1, partials, *arguments)
                    chunk = fetch_and_add(begun, share)

    return _compiled(shares, _ALLOCATING | {"parallel": True})


def named_after(*called: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Name a function, made for others that it calls, after these: the name of its file in the cache.

    Parameters
    ----------
    *called : callable
        All that tell it from others made by the same function.

    Returns
    -------
    callable
        A decorator, to be used below those that compile.
    """

    def rename(function: _Function) -> _Function:
        names = (f"{each.__module__}.{each.__qualname__}" for each in called)
        # file names have an end: 255 characters on most systems
        short = ".".join(name.removeprefix("emmd.kernels.") for name in names)
        function.__qualname__ = f"{short}.{function.__name__}"
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


def _compiled(
    function: _Function,
    options: dict[str, Any],
    compiler: type[WideCompiler | CompactCompiler] = WideCompiler,
) -> _Function:
    # to whoever reads or checks a call, a kernel is the function that it was written as
    kernel: Any = function if _config.DISABLE_JIT else Kernel(function, options, compiler)
    return kernel


class Kernel:
    """A function to be compiled, with its two compiled forms, each made when it is first needed.

    Most kernels are never called from Python, and a process that finds those it calls on disk needs no part:
    Numba's objects for all of them would take a twentieth of a second start.

    Parameters
    ----------
    function : callable
    options : dict
        Of ``numba.njit``.
    compiler : type
    """

    def __init__(self, function, options, compiler):
        update_wrapper(self, function)
        self.function = function
        self._options = options
        self._compiler = compiler

    def __call__(self, *arguments):
        """Run the whole, compiled or loaded first if need be."""
        return self.whole(*arguments)

    @cached_property
    def whole(self):
        """Numba's dispatcher of what Python calls."""
        made = self._dispatcher(_customize, KernelCache)
        # from now on Python calls it at once: a call handed on takes a twentieth of a step on 1000 rows
        self.__class__ = type("Kernel", (Kernel,), {"__call__": staticmethod(made)})
        return made

    @cached_property
    def part(self):
        """Numba's dispatcher of what other kernels call."""
        made = self._dispatcher(_customize_part, PartCache)
        # this would make it callable from Python
        made._insert = _nothing
        return made

    @property
    def _numba_type_(self):
        # what Numba asks when another kernel calls this one
        return types.Dispatcher(self.part)

    def _dispatcher(self, customize, cache):
        dispatcher = numba.njit(pipeline_class=self._compiler, **self._options)(self.function)
        dispatcher._compiler._customize_flags = customize
        ways = (self._options.get(name) for name in ("_nrt", "forceinline", "parallel"))
        dispatcher._cache = cache(self.function, (cache.__name__, self._compiler.__name__, *ways))
        return dispatcher


def _nothing(*arguments):
    pass


def _customize(flags):
    """Promise LLVM that arrays which a kernel writes overlap no other argument; leave out code for C callers.

    Without the promise a loop is vectorised behind a check of addresses, made for whole outer loops:
    neighbours in memory fail it, and the scalar loop sums in another order. The bits of a sum would depend on
    the heap.
    """
    flags.noalias = True
    flags.no_cfunc_wrapper = True
    return flags


def _customize_part(flags):
    """Do the same for a part, which is called by kernels only."""
    flags = _customize(flags)
    flags.no_cpython_wrapper = True
    flags.no_compile = True
    return flags
