"""The widest vectors of the processor for emmd's kernels, and for no one else's.

On processors with AVX-512 LLVM prefers vectors of half that width: in general code a few wide instructions
cost more in clock rate than they gain. In kernels that do nothing else they gain a fifth. The preference can
be set for all that Numba compiles in a process (``NUMBA_CPU_FEATURES``), which is the user's to do, or for
single functions, which is done here.
"""

from numba.core.codegen import get_host_cpu_features
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

_ATTRIBUTE = '"prefer-vector-width"="512"'

WIDE = "+avx512vbmi2" in get_host_cpu_features().split(",")
"""Whether the processor is Ice Lake's contemporary or later: on earlier ones wide vectors slow the clock."""


class _WideLower(Lower):
    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        if WIDE:
            # past the check of llvmlite, whose list has no attributes with a value
            set.add(self.function.attributes, _ATTRIBUTE)


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(NativeLowering):
    _name = "emmd_wide_lowering"

    @property
    def lowering_class(self):
        return _WideLower


class WideCompiler(CompilerBase):
    """Numba's pipeline for compiled code without Python objects, with functions marked for wide vectors."""

    def define_pipelines(self):
        """Return the one pipeline."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [
            (_WideLowering if each is NativeLowering else each, reason) for each, reason in pipeline.passes
        ]
        pipeline.finalize()
        return [pipeline]
