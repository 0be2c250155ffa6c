"""Loops over rows use the widest vectors, decisions are small code, the user's own functions are neither."""

import numba
import numpy as np
import pytest

from emmd.kernels._jit import kernel
from emmd.kernels.compilers import WIDE, CompactCompiler, WideCompiler
from emmd.kernels.linear import block_moment
from emmd.kernels.newton import advance

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
    assert block_moment._compiler.pipeline_class is WideCompiler
    assert advance._compiler.pipeline_class is CompactCompiler


@kernel
def _add_squares(x, sums):
    for i in range(x.shape[0]):
        sums[0] += x[i] * x[i]


@kernel
def _add_squares_twice(x, sums):
    _add_squares(x, sums)
    _add_squares(x, sums)


def test_a_kernel_called_by_kernels_only_has_no_machine_code_of_its_own():
    sums = np.zeros(1)
    _add_squares_twice(np.arange(3.0), sums)
    assert sums[0] == 10.0
    assert len(_add_squares_twice.overloads) == 1
    assert len(_add_squares.overloads) == 0
    _add_squares(np.arange(3.0), sums)
    assert sums[0] == 15.0
    assert len(_add_squares.overloads) == 1


def test_a_part_is_not_called_from_python():
    part = _add_squares.part()
    _add_squares_twice(np.arange(3.0), np.zeros(1))
    (compiled,) = part.overloads.values()
    with pytest.raises(TypeError, match="_add_squares is compiled as a part of other kernels"):
        compiled.entry_point(np.arange(3.0), np.zeros(1))
