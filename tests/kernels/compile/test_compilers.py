"""Loops over rows use the widest vectors, decisions are small code, the user's own functions are neither."""

import importlib
import pkgutil

import numba
import numpy as np
import pytest
from llvmlite.binding import Linkage
from numba.core.caching import NullCache

from emmd import kernels
from emmd.kernels.compile.internals import WIDE, CompactCompiler, Kernel, WideCompiler
from emmd.kernels.compile.jit import kernel
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.linear.predictors import block_moment
from emmd.kernels.solvers.newton_steps import advance

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="there is no machine code to look at"),
]

OPTIONS = {"error_model": "numpy", "fastmath": {"reassoc", "nsz", "contract"}}


def _total(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * x[i]
    return total


def _widest(function):
    """Return the length of the longest vector of numbers in the code for an array."""
    assert function(np.arange(1003.0)) == pytest.approx(1002 * 1003 * 2005 / 6, rel=1e-14)
    (code,) = function.inspect_llvm().values()
    return max(length for length in (2, 4, 8, 16) if f"<{length} x double>" in code)


@pytest.mark.skipif(not WIDE, reason="the processor has no vectors of 512 bits, or slows down with them")
def test_a_marked_function_uses_vectors_of_512_bits():
    assert _widest(numba.njit(pipeline_class=WideCompiler, **OPTIONS)(_total)) == 8


def test_a_function_compiled_elsewhere_is_not_marked():
    ours = numba.njit(pipeline_class=WideCompiler, **OPTIONS)(_total)
    others = numba.njit(**OPTIONS)(_total)
    assert _widest(others) <= _widest(ours)
    (code,) = others.inspect_llvm().values()
    assert "prefer-vector-width" not in code


def test_small_code_is_smaller():
    lengths = []
    for compiler in (CompactCompiler, WideCompiler):
        function = numba.njit(pipeline_class=compiler, **OPTIONS)(_total)
        assert function(np.arange(1003.0)) == pytest.approx(1002 * 1003 * 2005 / 6, rel=1e-14)
        (code,) = function.inspect_asm().values()
        lengths.append(code.count("\n"))
    assert lengths[0] < lengths[1]


def test_kernels_are_marked():
    assert block_moment.whole._compiler.pipeline_class is WideCompiler
    assert advance.whole._compiler.pipeline_class is CompactCompiler


def _add_squares(x, sums):
    for i in range(x.shape[0]):
        sums[0] += x[i] * x[i]


def _new_kernel_and_caller():
    added = kernel(_add_squares)

    def twice(x, sums):
        added(x, sums)
        added(x, sums)

    caller = kernel(twice)
    for each in (added.part, caller.whole):
        each._cache = NullCache()
    return added, caller


def test_a_kernel_called_by_kernels_only_has_no_machine_code_of_its_own():
    added, caller = _new_kernel_and_caller()
    sums = np.zeros(1)
    caller(np.arange(3.0), sums)
    assert sums[0] == 10.0
    assert (len(caller.whole.overloads), len(added.part.overloads)) == (1, 1)
    assert "whole" not in vars(added)
    added(np.arange(3.0), sums)
    assert sums[0] == 15.0
    assert len(added.whole.overloads) == 1


def test_a_part_is_not_called_from_python():
    added, caller = _new_kernel_and_caller()
    caller(np.arange(3.0), np.zeros(1))
    (compiled,) = added.part.overloads.values()
    with pytest.raises(TypeError, match="_add_squares is compiled as a part of other kernels"):
        compiled.entry_point(np.arange(3.0), np.zeros(1))


def test_a_kernel_has_its_parts_for_itself():
    """Of parts that others can see the engine would take the copy that it has seen first."""

    def gram_twice(X, v, sums):
        block_gram(X, v, 5, sums, X[:0])
        block_gram(X, v, 7, sums, X[:0])

    caller = kernel(gram_twice)
    caller.whole._cache = NullCache()
    X, sums = np.random.default_rng(0).standard_normal((4, 8)), np.zeros(10)
    caller(X, np.ones(8), sums)
    assert sums[0] == pytest.approx(X[0, :5] @ X[0, :5] + X[0, :7] @ X[0, :7], rel=1e-14)
    (compiled,) = caller.whole.overloads.values()
    linkages = {
        function.name: function.linkage
        for function in compiled.library._final_module.functions
        if not function.is_declaration
    }
    own = [linkage for name, linkage in linkages.items() if "block_gram" in name or "_tile" in name]
    assert own
    assert set(own) == {Linkage.internal}


def _reassociates(each):
    return "reassoc" in (each.whole.targetoptions["fastmath"] or ())


def _called(caller):
    function = caller.function
    around = [function.__globals__.get(name) for name in function.__code__.co_names]
    enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
    return [each for each in around + enclosed if isinstance(each, Kernel)]


def test_loops_that_may_be_reassociated_are_put_inside_their_like_alone():
    """Elsewhere their sums would depend on what else is there, and be others in another whole kernel."""
    names = [module.name for module in pkgutil.walk_packages(kernels.__path__, "emmd.kernels.")]
    waiting = [
        f for name in names for f in vars(importlib.import_module(name)).values() if isinstance(f, Kernel)
    ]
    seen, found = set(), 0
    while waiting:
        caller = waiting.pop()
        if caller in seen:
            continue
        seen.add(caller)
        for called in _called(caller):
            waiting.append(called)
            if called.whole.targetoptions["forceinline"] and _reassociates(called):
                assert _reassociates(caller), f"{caller.__name__} has {called.__name__} inside"
                found += 1
    assert found > 0
