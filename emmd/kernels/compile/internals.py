"""All that emmd uses of Numba's private names: they may change with any version, and `jit` does without them.

The pipeline is Numba's, less the passes that kernels have no use for, and with marks on functions that tell
LLVM what they are for.

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

from __future__ import annotations

import contextlib
import gc
import hashlib
import pickle
from functools import cached_property, update_wrapper, wraps
from pathlib import Path
from typing import Any, ClassVar

import numba
from llvmlite import binding, ir
from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, InTreeCacheLocator
from numba.core.cgutils import get_or_insert_function, voidptr_t
from numba.core.codegen import JITCodeLibrary, get_host_cpu_features
from numba.core.compiler import CompilerBase, DefaultPassBuilder, compile_result
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.runtime import rtsys
from numba.core.typed_passes import NativeLowering, NativeParforLowering
from numba.extending import intrinsic
from numba.parfors.parfor_lowering import ParforLower

from emmd.kernels.compile.disk_cache import SOURCES, announce_compilation, cache_folder

_DIGEST_BYTES = hashlib.sha256().digest_size
_INTO_SECOND_LEVEL = 2
_READ, _DATA = 0, 1

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


_SKIPPED = (
    "WithLifting",
    "InlineClosureLikes",
    "RewriteSemanticConstants",
    "DeadBranchPrune",
    "RewriteDynamicRaises",
    "MakeFunctionToJitFunction",
    "InlineInlinables",
    "FindLiterallyCalls",
    "LiteralUnroll",
    "LiteralPropagationSubPipelinePass",
    "InlineOverloads",
    "NopythonRewrites",
    "NoPythonSupportedFeatureValidation",
    "DumpParforDiagnostics",
)
"""Passes for closures, literals, exceptions and array expressions, which kernels do without.

They take an eighth of a cold start. IRLegalization is not among them: it ends the lives of variables, and so
frees their arrays.
"""


class _MarkingCompiler(CompilerBase):
    lowering: type

    def define_pipelines(self):
        """Return the one pipeline: no Python objects."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        ours = {NativeLowering: self.lowering, NativeParforLowering: _SharesLowering}
        # loops that are shared among threads need more of them
        skipped = () if self.state.flags.auto_parallel.enabled else _SKIPPED
        pipeline.passes = [
            (ours.get(each, each), reason) for each, reason in pipeline.passes if each.__name__ not in skipped
        ]
        pipeline.finalize()
        return [pipeline]


class WideCompiler(_MarkingCompiler):
    """Compiles loops over rows."""

    lowering = _WideLowering


class CompactCompiler(_MarkingCompiler):
    """Compiles functions that decide."""

    lowering = _CompactLowering


class _Locator(InTreeCacheLocator):
    """Says that everything lies in `cache_folder`, wherever the user's own kernels are kept.

    The folder's name is a hash of emmd's kernel sources: what is compiled from them serves every copy of
    them on the machine, wherever it is installed and whenever its files were written.
    """

    def __init__(self, py_func, py_file):
        super().__init__(py_func, py_file)
        path = Path(py_file).absolute()
        self._ours = path.is_relative_to(SOURCES)
        place = path.parent.relative_to(SOURCES) if self._ours else self.get_suitable_cache_subpath(py_file)
        self._cache_path = str(cache_folder() / place)

    def get_source_stamp(self):
        return () if self._ours else super().get_source_stamp()

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


def kernel(function, options, compact):
    """Return a `Kernel`: small code where `compact`, else the widest vectors."""
    return Kernel(function, options, CompactCompiler if compact else WideCompiler)


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
        dispatcher._compiler.compile = _without_collections(dispatcher._compiler.compile)
        ways = (self._options.get(name) for name in ("_nrt", "forceinline", "parallel"))
        dispatcher._cache = cache(self.function, (cache.__name__, self._compiler.__name__, *ways))
        return dispatcher


def _nothing(*arguments):
    pass


def _without_collections(compile_signature):
    """Compile without garbage collections, which find next to nothing and take a tenth of the time."""

    @wraps(compile_signature)
    def compile_quietly(arguments, return_type):
        collects = gc.isenabled()
        gc.disable()
        try:
            return compile_signature(arguments, return_type)
        finally:
            if collects:
                gc.enable()

    return compile_quietly


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


@intrinsic
def fetch_line(context, array, place):
    """Begin to bring the cache line of ``array[place]`` into the second-level cache; nothing waits for it."""

    def generate(context, builder, signature, arguments):
        whole = context.make_array(signature.args[0])(context, builder, arguments[0])
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [voidptr_t, number, number, number])
        prefetch = get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.bitcast(builder.gep(whole.data, [arguments[1]]), voidptr_t)
        builder.call(prefetch, [address, *(number(each) for each in (_READ, _INTO_SECOND_LEVEL, _DATA))])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate
