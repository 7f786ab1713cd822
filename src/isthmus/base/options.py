"""Options: the values of a config checked against the annotations of its fields, with errors that name the option."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from isthmus.base.errors import IsthmusError


def require(holds: bool, option: str, expected: str, found: object) -> None:
    """Raise `IsthmusError` naming the option unless the condition holds."""
    if not holds:
        raise IsthmusError(f"option {option} must be {expected}, got {found}")


def build(kind: Any, options: Mapping[str, Any]) -> Any:
    """A config of keyword options, checked before it is made; a mapping becomes the nested config it describes."""
    hints = get_type_hints(kind)
    unknown = next((name for name in options if name not in hints), None)
    require(unknown is None, f"{unknown}", f"one of {', '.join(hints)}", "an unknown one")
    return kind(**{name: _value(name.replace("_", "-"), value, hints[name]) for name, value in options.items()})


def check_types(config: Any) -> None:
    """Bring every field of a frozen config to its annotated type, or raise `IsthmusError` naming it.

    Numbers become Python's own.
    """
    for name, kind in get_type_hints(type(config)).items():
        object.__setattr__(config, name, _value(name.replace("_", "-"), getattr(config, name), kind))


def _value(option: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is UnionType:
        return None if value is None else _value(option, value, get_args(kind)[0])
    if get_origin(kind) is Literal:
        require(value in get_args(kind), option, f"one of {', '.join(get_args(kind))}", value)
        return value
    if is_dataclass(kind):
        return _nested(option, value, kind)
    if kind is str or kind is bool:
        require(isinstance(value, kind), option, "a text" if kind is str else "true or false", repr(value))
        return value
    if kind is int:
        require(isinstance(value, Integral) and not isinstance(value, bool), option, "a whole number", repr(value))
        return int(value)
    require(isinstance(value, Real) and math.isfinite(value), option, "a finite number", repr(value))
    return float(value)


def _nested(option: str, value: Any, kind: Any) -> Any:
    if isinstance(value, kind):
        return value
    known = [field.name for field in fields(kind)]
    require(isinstance(value, Mapping), option, f"a mapping with some of {', '.join(known)}", repr(value))
    unknown = [name for name in value if name not in known]
    require(not unknown, option, f"a mapping with some of {', '.join(known)}", unknown)
    return build(kind, value)
