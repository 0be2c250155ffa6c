"""Counters that several threads advance at once."""

from typing import Any

from numba import types
from numba.core.cgutils import get_item_pointer
from numba.extending import intrinsic


@intrinsic
def _fetch_and_add(context, counters, place):
    def generate(context, builder, signature, arguments):
        array_type, place_type = signature.args
        array = context.make_array(array_type)(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], place_type, types.intp)
        pointer = get_item_pointer(context, builder, array_type, array, [place], wraparound=False)
        one = context.get_constant(types.int64, 1)
        return builder.atomic_rmw("add", pointer, one, "monotonic")

    return types.int64(counters, place), generate


fetch_and_add: Any = _fetch_and_add
"""``(counters, place)``: add 1 to ``counters[place]``, int64, and return what it was, to one thread only.

To be called by kernels only.
"""
