"""A folder or file as an argument without an option's name."""

from pathlib import Path
from typing import Annotated

import tyro

Folder = Annotated[Path, tyro.conf.Positional]
