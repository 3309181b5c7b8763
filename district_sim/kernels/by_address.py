"""Named tuples that kernels take by their address.

numba hands a tuple on by value: a district's state and parameters are some six hundred words at every call, in every
function. With half the code to write and digest, the model compiles in half the time; kernels read fields as ever.
"""

import hashlib
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox


class ByAddress(types.Type):
    """The type of a named tuple that lives in memory and is read there."""

    def __init__(self, name: str, fields: dict[str, types.Type]) -> None:
        self.fields = fields
        # The names of fields' types run to thousands of letters, and stand in the name of every function
        digest = hashlib.blake2b(" ".join(kind.name for kind in fields.values()).encode(), digest_size=8).hexdigest()
        super().__init__(f"{name}({digest})")


def by_address[T](kind: type[T]) -> type[T]:
    """Let kernels take values of a named tuple's class by address. They can read its fields by name."""

    @typeof_impl.register(kind)
    def type_of(value: Any, context: Any) -> ByAddress:
        return ByAddress(kind.__name__, {name: typeof_impl(part, context) for name, part in value._asdict().items()})

    return kind


def _content(manager: Any, kind: types.Type) -> ir.Type:
    """What stands in memory: a tuple within a tuple stands there itself, not its address."""
    if isinstance(kind, ByAddress):
        return ir.LiteralStructType([_content(manager, field) for field in kind.fields.values()])
    return manager[kind].get_data_type()


@register_model(ByAddress)
class _ByAddressModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: ByAddress) -> None:
        super().__init__(manager, kind, _content(manager, kind).as_pointer())


@infer_getattr
class _Attributes(AttributeTemplate):
    key = ByAddress

    def generic_resolve(self, value: Any, attribute: str) -> Any:  # type: ignore[override]
        return value.fields.get(attribute)


def _place(builder: Any, address: Any, kind: ByAddress, name: str) -> Any:
    return cgutils.gep_inbounds(builder, address, 0, list(kind.fields).index(name))


@lower_getattr_generic(ByAddress)
def _read(context: Any, builder: Any, kind: ByAddress, address: Any, name: str) -> Any:
    place, field = _place(builder, address, kind, name), kind.fields[name]
    if isinstance(field, ByAddress):
        return place
    content = builder.load(place)
    content.set_metadata("invariant.load", builder.module.add_metadata([]))  # no kernel writes a field: read once
    return impl_ret_borrowed(context, builder, field, context.data_model_manager[field].from_data(builder, content))


@unbox(ByAddress)
def _unboxed(kind: ByAddress, value: Any, c: Any) -> NativeValue:
    """In memory of the calling wrapper, which waits for the kernel to end."""
    address = cgutils.alloca_once(c.builder, c.context.get_value_type(kind).pointee)
    failed = cgutils.alloca_once_value(c.builder, cgutils.false_bit)
    held: list[tuple[types.Type, Any]] = []
    _fill(kind, value, address, c, failed, held)

    def let_go() -> None:
        for field, native in held:
            c.context.nrt.decref(c.builder, field, native)

    return NativeValue(address, is_error=c.builder.load(failed), cleanup=let_go if held else None)


def _fill(kind: ByAddress, value: Any, address: Any, c: Any, failed: Any, held: list[Any]) -> None:
    for number, (name, field) in enumerate(kind.fields.items()):
        item, place = c.pyapi.tuple_getitem(value, number), _place(c.builder, address, kind, name)
        if isinstance(field, ByAddress):
            _fill(field, item, place, c, failed, held)
            continue
        native = c.unbox(field, item)
        c.builder.store(c.context.data_model_manager[field].as_data(c.builder, native.value), place)
        with c.builder.if_then(native.is_error, likely=False):
            c.builder.store(cgutils.true_bit, failed)
        if c.context.enable_nrt:
            held.append((field, native.value))
