"""Kernels as parts of others: what numba does with a function that is called by compiled code alone.

numba makes machine code of every function, with two ways in from outside, and then compiles it once more into each of
its callers. A kernel that others call stays intermediate code here, and becomes machine code once, in the kernel that
Python calls. That halves the time for a first run and leaves a fifth of the code.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from numba import types
from numba._dynfunc import make_function
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.typed_passes import NativeLowering, NativeParforLowering
from numba.extending import models, register_model

watching: list[Callable[[str, str], object]] = []
"""Whom to tell, by module and name, that a part has been compiled."""


class PartType(types.Dispatcher):
    """The type of such a kernel. All whole numbers with a sign, known or not, share one version: the widest."""

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        named = {name: _widest(kind) for name, kind in kws.items()}
        return super().get_call_type(context, tuple(_widest(kind) for kind in args), named)


register_model(PartType)(models.OpaqueModel)


def _widest(kind: Any) -> Any:
    kind = types.unliteral(kind)
    return types.int64 if kind in types.signed_domain else kind


class _Typing:
    """numba's typing context, which remembers what functions of numba's own return for arguments of given types.

    numba asks each of some thirty ways to add whether it suits, at every addition: an eighth of a compilation.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._found: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, args: Any, kws: Any) -> Any:
        if kws or not isinstance(function, types.Function):
            return self._context.resolve_function_type(function, args, kws)
        found = self._found.get((function, args))
        if found is None:
            found = self._found[function, args] = self._context.resolve_function_type(function, args, kws)
        return found


_typing = cache(_Typing)


class _Library(JITCodeLibrary):
    """Intermediate code, with that of all which it calls; not optimised and not in memory to be run."""

    def finalize(self) -> None:
        for library in dict.fromkeys(self._linking_libraries):
            if hasattr(library, "_reload_init"):  # what starts numba's threads; before numba 0.62 it is kept elsewhere
                self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0


@register_pass(mutates_CFG=False, analysis_only=True)
class _OfferToCallers(AnalysisPass):
    """Stands for the function that numba would make: callers look it up and find the library."""

    _name = "offer_to_callers"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        described = state.cr.fndesc
        for tell in watching:
            tell(described.modname, described.qualname)
        name = described.qualname.split(".")[-1]
        function = make_function(described.lookup_module(), name, "", 0, state.cr.env, (state.library,))
        state.targetctx.insert_user_function(function, described, [state.library])
        state.cr = state.cr._replace(cfunc=function)
        return True


class PartCompiler(Compiler):
    """numba's compiler for parts: up to intermediate code."""

    def define_pipelines(self) -> list[Any]:
        state = self.state
        state.flags.no_compile = True
        state.typingctx = _typing(state.typingctx)
        state.library = _Library(state.targetctx.codegen(), state.func_id.func_qualname)
        (passes,) = super().define_pipelines()
        lowering = NativeParforLowering if state.flags.auto_parallel.enabled else NativeLowering
        passes.add_pass_after(_OfferToCallers, lowering)
        passes.finalize()
        return [passes]
