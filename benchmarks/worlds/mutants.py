"""Mutations of files: what a disk, a network, an editor or an attacker makes of a file that was whole."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

Mutation = Callable[[Path, Random], None]
ODD = (
    None, True, False, 0, -1, 1, 7, 10**30, -(10**30), 1e308, float("nan"), float("inf"), "", "x", "../../x", "a\0b",
    "\ud800", "é" * 3, [], {}, [[]], {"a": 1}, "nan", 2**31, 2**63, 1.5,
)  # fmt: skip
"""Values that a JSON file may get in the place of any other."""


def mutations_of(file: Path) -> list[Mutation]:
    """What can happen to a file of this name."""
    found = [
        flip_bit,
        cut,
        append,
        empty,
        swap_blocks,
        overwrite,
        remove,
        to_folder,
        to_link,
        to_fifo,
        to_endless,
        rename,
    ]
    if file.suffix in (".json", ".jsonl"):
        found += [change_json] * 8 + [delete_key] * 3 + [nest, huge_number, not_utf8]
    if file.suffix == ".npy":
        found += [change_header] * 5
    if file.suffix == ".safetensors":
        found += [change_tensor_header] * 4
    if file.suffix in (".csv", ".tsv", ".txt"):
        found += [not_utf8, change_text, change_text]
    return found


def flip_bit(file: Path, draw: Random) -> None:
    content = bytearray(file.read_bytes())
    if content:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)


def cut(file: Path, draw: Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: draw.randrange(max(len(content), 1))])


def append(file: Path, draw: Random) -> None:
    file.write_bytes(file.read_bytes() + draw.choice([b"\0", b"\n", b"{}", b"x" * 100, draw.randbytes(64)]))


def empty(file: Path, draw: Random) -> None:
    file.write_bytes(b"")


def swap_blocks(file: Path, draw: Random) -> None:
    content = bytearray(file.read_bytes())
    width = max(len(content) // 8, 1)
    if len(content) >= 2 * width:
        one, other = (draw.randrange(len(content) - width + 1) for _ in range(2))
        content[one : one + width], content[other : other + width] = (
            content[other : other + width],
            content[one : one + width],
        )
    file.write_bytes(content)


def overwrite(file: Path, draw: Random) -> None:
    content = bytearray(file.read_bytes())
    start = draw.randrange(max(len(content), 1))
    count = min(len(content) - start, draw.choice([1, 4, 16]))
    content[start : start + count] = draw.choice([b"\xff", b"\0", b" ", b"9"]) * count
    file.write_bytes(content)


def remove(file: Path, draw: Random) -> None:
    file.unlink()


def to_folder(file: Path, draw: Random) -> None:
    file.unlink()
    file.mkdir()


def to_link(file: Path, draw: Random) -> None:
    file.unlink()
    file.symlink_to(file.parent / "nowhere")


def to_fifo(file: Path, draw: Random) -> None:
    file.unlink()
    os.mkfifo(file)


def to_endless(file: Path, draw: Random) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def rename(file: Path, draw: Random) -> None:
    file.rename(file.with_name(f"x{file.name}"))


def swapped_with(other: Path) -> Mutation:
    """The file of the same place in another artifact of the kind."""

    def swap(file: Path, draw: Random) -> None:
        shutil.copyfile(other, file)

    return swap


def change_json(file: Path, draw: Random) -> None:
    """Another value in one place."""
    _edit(file, draw, lambda parent, key: parent.__setitem__(key, _other(parent[key], draw)))


def delete_key(file: Path, draw: Random) -> None:
    """One entry less."""
    _edit(file, draw, lambda parent, key: parent.__delitem__(key))


def nest(file: Path, draw: Random) -> None:
    """One value as a list in a list in a list ..."""
    depth = draw.choice([50, 2000, 200_000])
    text = file.read_text()
    places = [found.end() for found in re.finditer(r"[:\[,]\s*", text)] or [0]
    place = draw.choice(places)
    file.write_text(f"{text[:place]}{'[' * depth}{']' * depth}{',' if place else ''}{text[place:]}")


def huge_number(file: Path, draw: Random) -> None:
    """One number with thousands of digits, or an exponent that no float has."""
    text = file.read_text()
    numbers = list(re.finditer(r"(?<=[ :\[,])-?\d+(\.\d+)?", text))
    if numbers:
        one = draw.choice(numbers)
        file.write_text(
            text[: one.start()] + draw.choice(["9" * 5000, "1e999", "-1e999", "9" * 40]) + text[one.end() :]
        )


def not_utf8(file: Path, draw: Random) -> None:
    content = file.read_bytes()
    place = draw.randrange(len(content) + 1)
    file.write_bytes(content[:place] + draw.choice([b"\xff", b"\xed\xa0\x80", b"\xc3", b"\0"]) + content[place:])


def change_text(file: Path, draw: Random) -> None:
    """Quotes, separators and control characters where there were none."""
    text = file.read_text()
    place = draw.randrange(len(text) + 1)
    file.write_text(
        text[:place] + draw.choice(['"', "\t", ",", "\0", "\r", "\n\n", "\x1b[2J", "x" * 10_000]) + text[place:]
    )


def change_header(file: Path, draw: Random) -> None:
    """Another shape, dtype or nonsense in the header of an .npy file."""
    content = file.read_bytes()
    end = content.find(b"\n") + 1
    header = content[10:end].decode("latin1")
    number = draw.choice(["0", "1", "-1", "True", "2", "9" * 30, "1" + "0" * 9, "1e3", "(", "3L", "None"])
    dtype = draw.choice(["<f8", "<f2", "|O", "<U9", ">f4", "<i4", "[]", "x", "<f4 ", "<c16", "<M8[s]"])
    changed = draw.choice([
        re.sub(r"\d+(?=[,)])", number, header, count=1),
        re.sub(r"'descr': '[^']*'", f"'descr': '{dtype}'", header),
        header.replace("False", "True"),
        "(" * 3000,
        header.replace("{", draw.choice(["", "{{", "'"])),
    ])  # fmt: skip
    encoded = changed.rstrip().ljust(end - 11).encode("latin1") + b"\n"
    file.write_bytes(content[:8] + len(encoded).to_bytes(2, "little") + encoded + content[end:])


def change_tensor_header(file: Path, draw: Random) -> None:
    """Another value in the JSON header of a safetensors file."""
    content = file.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    _change_somewhere(header, draw, lambda parent, key: parent.__setitem__(key, _other(parent[key], draw)))
    encoded = json.dumps(header).encode()
    file.write_bytes(len(encoded).to_bytes(8, "little") + encoded + content[8 + size :])


def _edit(file: Path, draw: Random, change: Callable[[Any, Any], None]) -> None:
    lines = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
    if not lines:
        return
    row = draw.randrange(len(lines))
    content = json.loads(lines[row])
    _change_somewhere(content, draw, change)
    indent = None if file.suffix == ".jsonl" else 1
    lines[row] = json.dumps(content, indent=indent, ensure_ascii=True)
    file.write_text("\n".join(lines) + "\n")


def _change_somewhere(content: Any, draw: Random, change: Callable[[Any, Any], None]) -> None:
    places = list(_places(content))
    if places:
        change(*draw.choice(places))


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        keys: Any = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    else:
        return
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _other(value: Any, draw: Random) -> Any:
    if isinstance(value, bool) or value is None or draw.random() < 0.4:
        return draw.choice(ODD)
    if isinstance(value, int):
        return draw.choice([value + 1, value - 1, -value, 0, value * 10**9, float(value), str(value)])
    if isinstance(value, float):
        return draw.choice([value * 1.5, -value, 0.0, value + 1e-6, float("nan"), float("-inf")])
    if isinstance(value, str):
        return draw.choice([value + "x", value[:-1], value.upper(), value[::-1], [value], f"../{value}"])
    if isinstance(value, list):
        return draw.choice([value + value, value[:-1], value[::-1], {"0": value}])
    return draw.choice([list(value), {**value, "extra": 1}, dict(list(value.items())[1:])])
