"""Numba's pipeline for compiled code, with marks on functions that tell LLVM what they are for.

Loops over rows get the widest vectors of the processor. On processors with AVX-512 LLVM prefers vectors of
half that width: in general code a few wide instructions cost more in clock rate than they gain. In kernels
that do nothing else they gain a fifth. The preference can be set for all that Numba compiles in a process
(``NUMBA_CPU_FEATURES``), which is the user's to do, or for single functions, which is done here.

Functions that decide, whose loops are as short as a vector of parameters, get small code: unrolled loops
would be no faster there, and make a cold start a tenth longer.

Parts are functions as other kernels call them. Numba makes every function ready to be called from Python,
with machine code of its own and a wrapper that unpacks Python objects; most kernels are only ever linked into
their callers, whose machine code holds theirs. Leaving that out makes a cold start a quarter shorter. Numba
also optimises a function with all that it calls, and again with each of its callers; parts are optimised in
the whole alone, which makes a cold start another quarter shorter.

A function is then optimised once for every whole that holds it, and sums that may be reassociated have to
come out alike in all of them. So a loop over rows is never put inside a function of another kind, nor inside
another kernel as LLVM sees fit: it is a function of its own, or inside its callers always, by decree.
"""

from typing import Any, ClassVar

from llvmlite import binding
from numba.core.codegen import JITCodeLibrary, get_host_cpu_features
from numba.core.compiler import CompilerBase, DefaultPassBuilder, compile_result
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering, NativeParforLowering
from numba.parfors.parfor_lowering import ParforLower

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

    def setup_function(self, fndesc):
        super().setup_function(fndesc)
        # else LLVM puts it inside some of its callers, and takes its sums in an order that suits each
        if not self.flags.forceinline:
            self.function.attributes.add("noinline")


class _CompactLower(_MarkedLower):
    attributes: ClassVar[list[str]] = ["optsize"]


class _PartLibrary(JITCodeLibrary):
    """Code that waits to be linked into that of callers, and to be optimised there."""

    def _optimize_final_module(self):
        pass

    def _finalize_final_module(self):
        # Numba's own goes on to hand the module to the engine, which makes machine code
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def serialize_using_object_code(self):
        """Return what the disk cache keeps: there is no machine code."""
        return self.serialize_using_bitcode()


class _WholeLibrary(JITCodeLibrary):
    """Code whose parts are its own.

    Numba gives the copies of a function in several libraries one name, and of them the engine takes the one
    that it has loaded first. Optimised in other surroundings, copies may round otherwise: the last bits of
    one kernel would depend on which others a process has called before.
    """

    def _finalize_final_module(self):
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == binding.Linkage.linkonce_odr:
                function.linkage = "internal"
        super()._finalize_final_module()


def rebuilt_part(target_context, payload):
    """Return the compilation's result for what Numba's cache keeps of it.

    Parameters
    ----------
    target_context : numba.core.cpu.CPUContext
    payload : tuple
        See ``numba.core.compiler.CompileResult._reduce``.
    """
    (name, _, bitcode), fndesc, environment, signature, *_, reload_init, _ = payload
    for initialise in reload_init:
        initialise()
    library = _PartLibrary(target_context.codegen(), name)
    # callers that are stored need it where they are loaded
    library._reload_init.update(reload_init)
    library._final_module = binding.parse_bitcode(bitcode)
    library._finalize_final_module()
    return compile_result(
        typing_context=target_context.typing_context,
        target_context=target_context,
        library=library,
        environment=environment,
        entry_point=_Entry(fndesc.qualname),
        fndesc=fndesc,
        signature=signature,
        objectmode=False,
        lifted=(),
        reload_init=reload_init,
    )


class _Entry:
    """What stands for a part among Numba's functions; each is one of its own."""

    def __init__(self, name):
        self.name = name

    def __call__(self, *arguments):
        """Refuse: there is nothing to run."""
        raise TypeError(f"{self.name} is compiled as a part of other kernels, and is not called from Python")


class _Lowering(NativeLowering):
    """Makes a part where the flag ``no_compile`` says so, else what can be called from Python."""

    lowering: type

    @property
    def lowering_class(self):
        return self.lowering

    def run_pass(self, state):
        whole = not state.flags.no_compile
        make = _WholeLibrary if whole else _PartLibrary
        state.library = make(state.targetctx.codegen(), state.func_id.func_qualname)
        if whole:
            # what Numba does with the libraries that it makes itself
            state.library.enable_object_caching()
        super().run_pass(state)
        if whole:
            return True
        entry = _Entry(state.func_id.func_qualname)
        state["cr"] = state["cr"]._replace(cfunc=entry)
        state.targetctx.insert_user_function(entry, state["cr"].fndesc, [state.library])
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(_Lowering):
    _name: Any = "emmd_wide_lowering"
    lowering = _WideLower


@register_pass(mutates_CFG=True, analysis_only=False)
class _CompactLowering(_Lowering):
    _name: Any = "emmd_compact_lowering"
    lowering = _CompactLower


@register_pass(mutates_CFG=True, analysis_only=False)
class _SharesLowering(_Lowering):
    _name: Any = "emmd_shares_lowering"
    lowering = ParforLower


class _MarkingCompiler(CompilerBase):
    lowering: type

    def define_pipelines(self):
        """Return the one pipeline: no Python objects."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        ours = {NativeLowering: self.lowering, NativeParforLowering: _SharesLowering}
        pipeline.passes = [(ours.get(each, each), reason) for each, reason in pipeline.passes]
        pipeline.finalize()
        return [pipeline]


class WideCompiler(_MarkingCompiler):
    """Compiles loops over rows."""

    lowering = _WideLowering


class CompactCompiler(_MarkingCompiler):
    """Compiles functions that decide."""

    lowering = _CompactLowering
