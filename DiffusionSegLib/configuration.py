"""Frozen dataclasses to and from JSON, strictly."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from DiffusionSegLib.errors import DiffusionSegError

Configuration = TypeVar("Configuration")


def from_json(kind: type[Configuration], data: Mapping[str, Any]) -> Configuration:
    """The dataclass `kind` with the values of a JSON object; lists become tuples, objects nested dataclasses.

    Raises:
        DiffusionSegError: if a value is missing, unknown or of another type.
    """
    hints = typing.get_type_hints(kind)
    try:
        unknown = set(data) - set(hints)
        if unknown:
            raise TypeError(f"unknown {', '.join(sorted(unknown))}")
        return kind(**{name: _value(hints[name], value) for name, value in data.items()})
    except (TypeError, ValueError, AttributeError) as error:
        message = f"The settings of a {kind.__name__} cannot be read: {error}."
        raise DiffusionSegError(message, "The file is damaged or was made by another version.") from error


def to_json(configuration: Any) -> dict[str, Any]:
    """A dataclass as a JSON object."""
    return dataclasses.asdict(configuration)


def _value(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return from_json(typing.cast("type[Any]", hint), value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(f"a list is needed instead of {value!r}")
        inner = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(inner) != len(value):
            raise TypeError(f"{len(inner)} values are needed instead of {value!r}")
        return tuple(_value(part, item) for part, item in zip(inner, value, strict=True))
    if origin is typing.Literal:
        if value not in arguments:
            raise ValueError(f"{value!r} is none of {', '.join(map(str, arguments))}")
        return value
    if origin is types.UnionType:
        return None if value is None else _value(next(part for part in arguments if part is not type(None)), value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is no {hint.__name__}")
    return value
