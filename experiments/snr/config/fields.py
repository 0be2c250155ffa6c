"""Kinds of values that experiment files hold."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T")


def _as_list(value):
    return value if isinstance(value, list) else [value]


def _distinct(values):
    for k, value in enumerate(values):
        if value in values[:k]:
            raise ValueError(f"must not hold {value!r} twice")
    return values


Grid = Annotated[list[T], Field(min_length=1), BeforeValidator(_as_list), AfterValidator(_distinct)]
"""One value or a non-empty list of different values."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of an experiment file: unknown keys and wrong types are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
