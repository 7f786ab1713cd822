"""Every command by name, and what runs one: bad input ends in one line."""

import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version

import tyro

from isthmus.base.errors import IsthmusError
from isthmus.cli.codes import CODES, codes
from isthmus.cli.connect import connect_with, named_method
from isthmus.cli.convert import convert
from isthmus.cli.demo import demo
from isthmus.cli.embed import embed
from isthmus.cli.inspect import inspect
from isthmus.cli.localize import localize
from isthmus.cli.search import search
from isthmus.cli.spaces import spaces

TAGLINE = "Connect two embedding spaces that share one modality, with no paired data."


def commands(arguments: Sequence[str]) -> dict[str, Callable[..., None]]:
    """Every command by name; `connect` has the options of the method named in the arguments."""
    return {
        "demo": demo,
        "spaces": spaces,
        "embed": embed,
        "connect": connect_with(named_method(arguments)),
        "search": search,
        "codes": codes,
        "localize": localize,
        "convert": convert,
        "inspect": inspect,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Bad input ends in one line on stderr and exit code 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        print(f"isthmus {version('isthmus')}")
        return
    warnings.showwarning = _warn_in_one_line
    logging.basicConfig(level=logging.INFO, format="isthmus: %(message)s")
    try:
        of_codes = given[:1] == ["codes"]
        tyro.extras.subcommand_cli_from_dict(
            CODES if of_codes else commands(given),
            prog="isthmus codes" if of_codes else "isthmus",
            args=given[1:] if of_codes else given,
            description=(codes.__doc__ if of_codes else TAGLINE),
        )
    except IsthmusError as error:
        print(f"isthmus: {error}", file=sys.stderr)
        sys.exit(2)
    except (OSError, UnicodeDecodeError) as error:
        name = getattr(error, "filename", None)
        print(f"isthmus: {name or 'a file'}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("isthmus: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(130)


def _warn_in_one_line(message: Warning | str, *_: object, **__: object) -> None:
    print(f"isthmus: {message}", file=sys.stderr)
