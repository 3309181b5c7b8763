"""Single precision for the innermost loops: vectors, an exponential that vectorises, and asking for memory early.

A vector is a short row of float32 (a firm's knowledge in its domains, its place) in the processor's registers. numba
has no such type; loops over a firm's domains that store as they go stay scalar, because the compiler cannot know that
two arrays do not overlap. With vectors, socialisation is three times as fast.

Every operation is rounded as written, sums are taken in a fixed order, fused operations are asked for by name: the bits
are the same on every processor.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, overload, register_model

from district_sim.kernels.compile import kernel

single = np.float32
intrinsic: Any = extending.intrinsic

_FLOAT, _WORD = ir.FloatType(), ir.IntType(32)


class Vector(types.Type):
    """The type of a vector with a number of lanes that is known when a kernel is compiled."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"vector({lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(_FLOAT, kind.lanes))


def _constant(lanes: int, value: float) -> ir.Constant:
    return ir.Constant(ir.VectorType(_FLOAT, lanes), [value] * lanes)


def _as(out, context, builder, value, kind):
    """A value as what `out` says: a number becomes a float32, or a vector of this number."""
    if isinstance(kind, Vector):
        return value
    number = context.cast(builder, value, kind, types.float32)
    if not isinstance(out, Vector):
        return number
    first = builder.insert_element(_constant(out.lanes, ir.Undefined), number, _WORD(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_WORD, out.lanes), [0] * out.lanes))


def _operator(function: Callable[[Any, Any], Any], instruction: str) -> None:
    """Give vectors an operator; a number on either side stands for a vector of this number."""

    @intrinsic
    def between(typingctx, a, b):
        out = a if isinstance(a, Vector) else b

        def codegen(context, builder, signature, args):
            sides = [_as(out, context, builder, value, kind) for value, kind in zip(args, signature.args, strict=True)]
            return getattr(builder, instruction)(*sides)

        return out(a, b), codegen

    @overload(function)
    def _overloaded(a, b):
        if isinstance(a, Vector) or isinstance(b, Vector):
            return lambda a, b: between(a, b)
        return None


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")


def _address(context, builder, row, value):
    array = context.make_array(row)(context, builder, value)
    return builder.bitcast(array.data, ir.VectorType(_FLOAT, row.nitems).as_pointer())


@intrinsic
def load(typingctx, row):
    """The vector in a record's float32 array field."""

    def codegen(context, builder, signature, args):
        vector = builder.load(_address(context, builder, row, args[0]))
        vector.align = 4
        return vector

    return Vector(row.nitems)(row), codegen


@intrinsic
def store(typingctx, row, vector):
    """Write a vector to a record's float32 array field."""

    def codegen(context, builder, signature, args):
        builder.store(args[1], _address(context, builder, row, args[0])).align = 4
        return context.get_dummy_value()

    return types.void(row, vector), codegen


@intrinsic
def zeros(typingctx, row):
    """Zeros, as many as a record's array field has elements."""

    def codegen(context, builder, signature, args):
        return _constant(row.nitems, 0.0)

    return Vector(row.nitems)(row), codegen


@intrinsic
def four(typingctx, a, b, c, d):
    """A vector of four numbers."""

    def codegen(context, builder, signature, args):
        vector = _constant(4, ir.Undefined)
        for lane, (value, kind) in enumerate(zip(args, signature.args, strict=True)):
            number = context.cast(builder, value, kind, types.float32)
            vector = builder.insert_element(vector, number, _WORD(lane))
        return vector

    return Vector(4)(a, b, c, d), codegen


@intrinsic
def positive(typingctx, vector):
    """The positive part: max(0, x) in each lane."""

    def codegen(context, builder, signature, args):
        zero = _constant(vector.lanes, 0.0)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[0], zero)

    return vector(vector), codegen


def _lanes(builder, a, b, wanted):
    """A vector of some lanes of a and b: those of b are counted on from a's."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_WORD, len(wanted)), list(wanted)))


def _sum(builder, part, lanes):
    odd = []
    while lanes > 1:
        if lanes % 2:
            odd.append(builder.extract_element(part, _WORD(lanes - 1)))
        half = lanes // 2
        low, high = (_lanes(builder, part, part, range(k, k + half)) for k in (0, half))
        part, lanes = builder.fadd(low, high), half
    out = builder.extract_element(part, _WORD(0))
    for rest in odd:
        out = builder.fadd(out, rest)
    return out


@intrinsic
def total(typingctx, vector):
    """The sum of the lanes, halves added to halves: always in the same order."""

    def codegen(context, builder, signature, args):
        return _sum(builder, args[0], vector.lanes)

    return types.float32(vector), codegen


# Of two vectors, as one of 16 lanes: what is added to what, so that three times over halves are added to halves, eight
# vectors become one, and each lane's sum stays on its side of the processor's vectors
_FOLDS = (
    ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
    ((0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
    ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
)


def _sums_of_eight(builder, parts):
    """The sums of eight vectors of eight lanes in one vector, each in the order of `_sum`."""
    parts = [parts[k] for k in (0, 4, 1, 5, 2, 6, 3, 7)]
    for low, high in _FOLDS:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [builder.fadd(_lanes(builder, a, b, low), _lanes(builder, a, b, high)) for a, b in pairs]
    return parts[0]


@intrinsic
def square_eight(typingctx, rows, first, out):
    """Write the sums of squares of eight records of float32 numbers, from `first` (uint64) on, to `out[first:]`.

    The same as `total` of each, in fewer instructions: socialisation takes 4 % less time.
    """
    lanes = rows.dtype.size // 4

    def codegen(context, builder, signature, args):
        at, to = (context.make_array(kind)(context, builder, args[k]).data for k, kind in ((0, rows), (2, out)))
        at, size = builder.bitcast(at, _FLOAT.as_pointer()), args[1].type
        squares = []
        for k in range(8):
            place = builder.mul(builder.add(args[1], size(k)), size(lanes))
            row = builder.load(builder.bitcast(builder.gep(at, [place]), ir.VectorType(_FLOAT, lanes).as_pointer()))
            row.align = 4
            squares.append(builder.fmul(row, row))
        if lanes == 8:
            sums = _sums_of_eight(builder, squares)
        else:
            sums = _constant(8, ir.Undefined)
            for k, square in enumerate(squares):
                sums = builder.insert_element(sums, _sum(builder, square, lanes), _WORD(k))
        builder.store(sums, builder.bitcast(builder.gep(to, [args[1]]), sums.type.as_pointer())).align = 4
        return context.get_dummy_value()

    return types.void(rows, first, out), codegen


@intrinsic
def multiply_add(typingctx, a, b, c):
    """a * b + c, rounded once; of float32 numbers or vectors."""
    out = next((kind for kind in (a, b, c) if isinstance(kind, Vector)), types.float32)

    def codegen(context, builder, signature, args):
        numbers = [_as(out, context, builder, value, kind) for value, kind in zip(args, signature.args, strict=True)]
        name = f"llvm.fma.v{out.lanes}f32" if isinstance(out, Vector) else "llvm.fma.f32"
        function = ir.FunctionType(numbers[0].type, [numbers[0].type] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), numbers)

    return out(a, b, c), codegen


@kernel
def exp_of_negative(x):
    """exp(x) for float32 x <= 0; 1e-38 below -87. Relative error below 2e-7 down to -1 and 4e-6 down to -87.

    The library's exponential is a call, which keeps a loop from becoming vector instructions; this one is arithmetic
    only: 2^n times a polynomial on [-1/2, 1/2] (minimax, evaluated in pairs as Estrin does, so that terms overlap).
    """
    scaled = max(x * single(1.4426950408889634), single(-126.0))
    shifted = single(scaled + single(12582912.0))  # 1.5 * 2**23: rounds to an integer in the last bits
    f = scaled - (shifted - single(12582912.0))
    ff = f * f
    low = multiply_add(f, single(6.931472028550421e-1), single(1.0))
    middle = multiply_add(f, single(5.550332471162809e-2), single(2.402264791363012e-1))
    high = multiply_add(f, single(1.339887440266574e-3), single(9.618437357674640e-3))
    high = multiply_add(ff, single(1.535336188319500e-4), high)
    p = single(multiply_add(ff, multiply_add(ff, high, middle), low))
    return np.int32(p.view(np.int32) + (shifted.view(np.int32) << 23)).view(np.float32)


@intrinsic
def prefetch(typingctx, array, row, offset):
    """Ask for the cache line `offset` bytes into `array[row]` (row: uint32) before it is needed; nothing else happens.

    Into the second-level cache: the few buffers of the first are soon taken. With a million firms whose partners are
    anywhere in memory, socialisation is three times as fast with it.
    """

    def codegen(context, builder, signature, args):
        struct = context.make_array(signature.args[0])(context, builder, args[0])
        (stride,) = cgutils.unpack_tuple(builder, struct.strides)
        offset = builder.add(builder.mul(builder.zext(args[1], stride.type), stride), args[2])
        address = builder.gep(builder.bitcast(struct.data, ir.IntType(8).as_pointer()), [offset])
        kind = ir.FunctionType(ir.VoidType(), [address.type, _WORD, _WORD, _WORD])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [address, _WORD(0), _WORD(1), _WORD(1)])  # to read, second level, data
        return context.get_dummy_value()

    return types.void(array, row, types.intp), codegen
