"""JSON from files that anyone may have written: bounded in size and depth, valid Unicode, and finite numbers only."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from isthmus.base.errors import reading

MOST_BYTES = 2**30
DEEPEST = 100
"""Lists and mappings inside each other; what isthmus writes has fewer than ten."""


def read_json(path: Path, remedy: str, *, finite: bool = True) -> Any:
    """The content of a JSON file. Raises `IsthmusError` with its name and ``remedy`` for what `parse_json` refuses."""
    with reading(path, remedy):
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"{size} bytes, the limit is {MOST_BYTES} bytes")
        return parse_json(path.read_text(encoding="utf-8-sig"), finite=finite)


def parse_json(text: str, *, finite: bool = True) -> Any:
    """The content of JSON text.

    Raises `ValueError` if it is not JSON, is nested more than 100 deep, has half of a surrogate pair (not a
    character, so it cannot be printed or written), or, if ``finite``, has NaN or an infinite number.

    Example:
        >>> parse_json('{"a": 1.5}')
        {'a': 1.5}
        >>> parse_json('{"a": 1e999}')
        Traceback (most recent call last):
        ValueError: 1e999 is not a finite number
    """
    strict: dict[str, Any] = {"parse_constant": _refuse, "parse_float": _finite} if finite else {}
    try:
        found = json.loads(text, **strict)
    except RecursionError:
        raise ValueError(f"nested more than {DEEPEST} deep") from None
    _require_shallow(found)
    if "\\u" in text:
        _require_unicode(found)
    return found


def finite(content: Any) -> Any:
    """The content with null in place of every number that is not finite, because JSON has no such numbers.

    Example:
        >>> finite({"gap": float("nan"), "rows": [1, 2.5, float("inf")]})
        {'gap': None, 'rows': [1, 2.5, None]}
    """
    if isinstance(content, Mapping):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def json_text(content: Any, **layout: Any) -> str:
    """JSON for a file, with null for numbers that are not finite; ``layout`` is that of `json.dumps`."""
    return json.dumps(finite(content), allow_nan=False, **layout) + "\n"


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is not a finite number")


def _require_shallow(found: Any) -> None:
    level = [found]
    for _ in range(DEEPEST):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _entries(one)]
        if not level:
            return
    raise ValueError(f"nested more than {DEEPEST} deep")


def _entries(one: dict[str, Any] | list[Any]) -> Any:
    return one.values() if isinstance(one, dict) else one


def _require_unicode(found: Any) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"has half of a surrogate pair, {error.object[error.start]!a}, which is not a character"
        ) from None
