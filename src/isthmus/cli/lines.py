"""Results as lines of JSON: printed, or in a file."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from isthmus.base.atomic import write_text_atomically
from isthmus.base.json_files import json_text
from isthmus.cli.terminal import CONTROL

NOT_ASCII = re.compile("[^\x00-\x7f]")


def write_json_lines(objects: Iterable[Mapping[str, object]], what: str, out: Path | None) -> None:
    """Print one JSON object per line, or write the lines to ``out`` and print its path."""
    lines = (json_text(one, ensure_ascii=False) for one in objects)
    if out is None:
        # An encoding other than UTF-8 may lack a character; with JSON's own escapes the lines stay JSON.
        utf8 = str(sys.stdout.encoding).lower().replace("-", "") == "utf8"
        sys.stdout.writelines(_escaped(line, CONTROL if utf8 else NOT_ASCII) for line in lines)
    else:
        write_text_atomically(out, "".join(lines))
        print(f"{what}: {out}")


def _escaped(line: str, unsafe: re.Pattern[str]) -> str:
    return unsafe.sub(lambda found: json.dumps(found[0])[1:-1] if found[0] > "\x7f" else "\\u007f", line)
