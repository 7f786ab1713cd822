"""Every command by name, and how errors, warnings and interruptions are reported: in one line each."""

import os
import sys
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from isthmus.base.errors import IsthmusError, kind_and_reason
from isthmus.cli.codes import codes_assign, codes_show, codes_train
from isthmus.cli.connect import connect_with, named_method
from isthmus.cli.convert import convert
from isthmus.cli.demo import demo
from isthmus.cli.embed import embed
from isthmus.cli.evaluate import evaluate
from isthmus.cli.inspect import inspect
from isthmus.cli.localize import localize
from isthmus.cli.parser import Command, nearest, run, summary, width
from isthmus.cli.report import report
from isthmus.cli.search import search
from isthmus.cli.spaces import spaces
from isthmus.cli.terminal import end, printable_output, say

TAGLINE = "Connect two embedding spaces that share one modality, with no paired data."
CODES_TAGLINE = "Train and use a codebook that several modalities share."
HELP = ("help", "-h", "--help")
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""The environment variables of OpenMP that set how threads wait."""
TRACEBACK = "ISTHMUS_TRACEBACK"
"""The environment variable that asks for tracebacks."""


def commands(arguments: Sequence[str] = ()) -> dict[str, Command]:
    """Every command by its words; `connect` has the options of the method named in the arguments."""
    return {
        "demo": demo,
        "spaces": spaces,
        "embed": embed,
        "convert": convert,
        "inspect": inspect,
        "connect": connect_with(named_method(arguments)),
        "search": search,
        "codes train": codes_train,
        "codes assign": codes_assign,
        "codes show": codes_show,
        "localize": localize,
        "evaluate": evaluate,
        "report": report,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command.

    Bad input ends in one line on stderr and exit code 2, any other error in one line and exit code 1. With
    ``ISTHMUS_TRACEBACK=1`` the traceback precedes the line.
    """
    _wait_without_spinning()
    warnings.showwarning = _warn_in_one_line
    given = list(sys.argv[1:] if arguments is None else arguments)
    show = os.environ.get(TRACEBACK, "") not in ("", "0")
    try:
        with printable_output():
            _dispatch(given)
    except IsthmusError as error:
        end(str(error), 2, show_traceback=show)
    except BrokenPipeError:
        # The reader of the output, such as head, has enough; Python would complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        end(f"{error.filename or _words(given)}: {kind_and_reason(error)}", 2, show_traceback=show)
    except Exception as error:
        hint = "" if show else f"; {TRACEBACK}=1 shows where"
        end(f"{_words(given)} failed ({kind_and_reason(error)}): please report this fault of isthmus{hint}",
            1, show_traceback=show)  # fmt: skip
    except KeyboardInterrupt as interruption:
        end(f"interrupted; {interruption.args[0] if interruption.args else 'nothing was saved'}", 130)


def _wait_without_spinning() -> None:
    """Let threads sleep at OpenMP's barriers, unless the user's environment sets how they wait.

    Spinning threads take the cores from other programs and from each other. OpenMP reads the variable when torch is
    imported, which no command has done yet; programs that import isthmus decide for themselves.
    """
    if not any(name in os.environ for name in WAITING):
        os.environ[WAITING[0]] = "PASSIVE"


def _words(given: list[str]) -> str:
    """The given command without its arguments."""
    return " ".join(given[: 2 if given[:1] == ["codes"] else 1])


def _dispatch(given: list[str]) -> None:
    if given == ["--version"]:
        print(f"isthmus {version('isthmus')}")
        return
    if given[:1] == ["help"] and len(given) > 1:
        given = [*given[1:], "--help"]
    known = commands(given)
    if not given or given[0] in HELP:
        print(_overview("isthmus", TAGLINE, known))
        return
    words = 2 if given[0] == "codes" else 1
    if words == 2 and (len(given) == 1 or given[1] in HELP):
        actions = {name: command for name, command in known.items() if name.startswith("codes ")}
        print(_overview("isthmus codes", CODES_TAGLINE, actions))
        return
    name = " ".join(given[:words])
    if name not in known:
        raise IsthmusError(f"unknown command {name!r}: {nearest(name, list(known))}see isthmus help")
    run(known[name], given[words:], f"isthmus {name}")


def _overview(prog: str, tagline: str, known: Mapping[str, Command]) -> str:
    """The help page that lists commands."""
    longest = max(map(len, known)) + 4
    lines = [
        textwrap.fill(
            summary(command),
            width(),
            initial_indent=f"  {name}".ljust(longest),
            subsequent_indent=" " * longest,
        )
        for name, command in known.items()
    ]
    usage = f"usage: {prog} COMMAND ... [options]"
    return "\n".join([usage, "", tagline, "", "commands:", *lines, "", "Help on a command: isthmus help COMMAND"])


def _warn_in_one_line(message: Warning | str, *_: object, **__: object) -> None:
    say(str(message))
