"""Options: the values of a config checked against the types of its fields, with errors that name the option."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from isthmus.base.errors import IsthmusError


def require(holds: bool, option: str, expected: str, found: object) -> None:
    """Raise `IsthmusError` unless the condition holds; ``option`` is spelled as on the command line, without dashes."""
    if not holds:
        raise IsthmusError(f"--{option} must be {expected}, got {found}")


def config_from(kind: Any, config: Any, options: Mapping[str, Any]) -> Any:
    """The config that was passed, or a new one of class ``kind`` from keyword options.

    Raises `IsthmusError` if both are given, an option is unknown, or its value is invalid.
    """
    if config is None:
        return make_config(kind, options)
    if options:
        raise IsthmusError(f"pass either config or options, not both (got config and {next(iter(options))!r})")
    return config


def make_config(kind: Any, options: Mapping[str, Any]) -> Any:
    """A config of class ``kind`` from keyword options; a mapping becomes the nested config that it describes."""
    hints = get_type_hints(kind)
    unknown = next((name for name in options if name not in hints), None)
    if unknown is not None:
        raise IsthmusError(f"unknown option {unknown!r}: choose from {', '.join(hints)}")
    return kind(**{name: _converted(name.replace("_", "-"), value, hints[name]) for name, value in options.items()})


def check_types(config: Any) -> None:
    """Convert every field of a frozen config to its annotated type, or raise `IsthmusError` naming the field.

    NumPy's numbers become Python's, so that a config can be written as JSON.
    """
    for name, kind in get_type_hints(type(config)).items():
        object.__setattr__(config, name, _converted(name.replace("_", "-"), getattr(config, name), kind))


def _converted(option: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is UnionType:
        return None if value is None else _converted(option, value, get_args(kind)[0])
    if get_origin(kind) is Literal:
        require(value in get_args(kind), option, f"one of {', '.join(get_args(kind))}", repr(value))
        return value
    if isinstance(kind, type) and is_dataclass(kind):
        if isinstance(value, Mapping):
            return make_config(kind, value)
        require(isinstance(value, kind), option, "a config or a mapping of its options", repr(value))
        return value
    if kind is str or kind is bool:
        require(isinstance(value, kind), option, "a string" if kind is str else "True or False", repr(value))
        return value
    if kind is int:
        require(isinstance(value, Integral) and not isinstance(value, bool), option, "an integer", repr(value))
        return int(value)
    require(isinstance(value, Real) and math.isfinite(value), option, "a finite number", repr(value))
    return float(value)
