"""Numba's pipeline for compiled code, with marks on functions that tell LLVM what they are for.

Loops over rows get the widest vectors of the processor. On processors with AVX-512 LLVM prefers vectors of
half that width: in general code a few wide instructions cost more in clock rate than they gain. In kernels
that do nothing else they gain a fifth. The preference can be set for all that Numba compiles in a process
(``NUMBA_CPU_FEATURES``), which is the user's to do, or for single functions, which is done here.

Functions that decide, whose loops are as short as a vector of parameters, get small code: unrolled loops
would be no faster there, and make a cold start a tenth longer.
"""

from typing import ClassVar

from numba.core.codegen import get_host_cpu_features
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

WIDE = "+avx512vbmi2" in get_host_cpu_features().split(",")
"""Whether the processor is Ice Lake's contemporary or later: on earlier ones wide vectors slow the clock."""


class _MarkedLower(Lower):
    attributes: ClassVar[list[str]] = []

    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        for attribute in self.attributes:
            # past the check of llvmlite, whose list has no attributes with a value
            set.add(self.function.attributes, attribute)


class _WideLower(_MarkedLower):
    attributes: ClassVar[list[str]] = ['"prefer-vector-width"="512"'] if WIDE else []


class _CompactLower(_MarkedLower):
    attributes: ClassVar[list[str]] = ["optsize"]


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(NativeLowering):
    _name = "emmd_wide_lowering"

    @property
    def lowering_class(self):
        return _WideLower


@register_pass(mutates_CFG=True, analysis_only=False)
class _CompactLowering(NativeLowering):
    _name = "emmd_compact_lowering"

    @property
    def lowering_class(self):
        return _CompactLower


class _MarkingCompiler(CompilerBase):
    lowering: type

    def define_pipelines(self):
        """Return the one pipeline: no Python objects."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [
            (self.lowering if each is NativeLowering else each, reason) for each, reason in pipeline.passes
        ]
        pipeline.finalize()
        return [pipeline]


class WideCompiler(_MarkingCompiler):
    """Compiles loops over rows."""

    lowering = _WideLowering


class CompactCompiler(_MarkingCompiler):
    """Compiles functions that decide."""

    lowering = _CompactLowering
