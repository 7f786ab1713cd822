"""A command line from a function: its parameters become arguments and options, its docstring their help.

Positional parameters become arguments and keyword-only parameters become options. A parameter annotated with a config
dataclass becomes one option a field; a config inside a config becomes a group of options (``--optimisation.epochs``).
"""

import argparse
import ast
import inspect
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path

WIDEST = 100
EMPTY = inspect.Parameter.empty
Command = Callable[..., None]


def run(command: Command, arguments: Sequence[str], prog: str) -> None:
    """Call ``command`` with the values given on a command line; ``--help`` prints its help and exits instead."""
    positional, named = parse(command, arguments, prog)
    command(*positional, **named)


def parse(command: Command, arguments: Sequence[str], prog: str) -> tuple[list[Any], dict[str, Any]]:
    """The positional and the keyword arguments of ``command`` that a command line stands for.

    Raises `IsthmusError` for an unknown option, a missing argument or a value of the wrong kind.
    """
    parameters = inspect.signature(command).parameters
    hints = get_type_hints(command)
    parser = _parser(command, parameters, hints, prog)
    found, extra = parser.parse_known_intermixed_args(list(arguments))
    _refuse_unknown(extra, parser, prog)
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in vars(found).items()}
    given = {name: value for name, value in values.items() if value not in (None, ())}
    missing = [_shown(one) for one in parameters.values() if _is_required(one, hints) and one.name not in given]
    if missing:
        raise IsthmusError(f"missing {', '.join(missing)}: see {prog} --help")
    positional: list[Any] = []
    for name, one in parameters.items():
        if one.kind is one.VAR_POSITIONAL:
            positional += given.pop(name)
        elif _is_argument(one):
            positional.append(given.pop(name, one.default))
    configs = {name: one.default for name, one in parameters.items() if is_dataclass(hints[name])}
    named = {name: value for name, value in given.items() if "." not in name}
    return positional, named | {name: _changed(config, name, given) for name, config in configs.items()}


def summary(command: Command) -> str:
    """The first line of a command's docstring."""
    return documented(command)[0].splitlines()[0]


def width() -> int:
    """Columns a help page fills."""
    return min(shutil.get_terminal_size().columns, WIDEST)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise IsthmusError(message.removeprefix("argument "))


def _parser(
    command: Command, parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any], prog: str
) -> argparse.ArgumentParser:
    description, helps = documented(command)
    parser = _Parser(
        prog=prog,
        usage=" ".join([prog, *_usage(parameters, hints), "[options]"]),
        description=description,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=26, width=width()),
        add_help=False,
        allow_abbrev=False,
    )
    arguments, options = parser.add_argument_group("arguments"), parser.add_argument_group("options")
    for name, one in parameters.items():
        if is_dataclass(hints[name]):
            _add_config(parser, options, one.default, name, prefix="--")
        elif _is_argument(one):
            number = "*" if one.kind is one.VAR_POSITIONAL else "?"
            read, text = _reader(hints[name])[0], _help(helps[name])
            arguments.add_argument(name, metavar=_shown(one), nargs=number, type=read, help=text)
        else:
            text = _help(helps[name], one.default)
            _add_option(options, f"--{name.replace('_', '-')}", hints[name], name, text)
    options.add_argument("-h", "--help", action="help", help="Show this help.")
    return parser


def _usage(parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any]) -> list[str]:
    """Arguments, optional ones in brackets, then the options that must be given."""
    arguments = [one for one in parameters.values() if _is_argument(one)]
    options = [one for one in parameters.values() if not _is_argument(one) and _is_required(one, hints)]
    shown = [_shown(one) if one.default is EMPTY else f"[{_shown(one)}]" for one in arguments]
    dots = ["..." for one in arguments if one.kind is one.VAR_POSITIONAL]
    return [*shown, *dots, *(f"{_shown(one)} {_reader(hints[one.name], _shown(one))[1]}" for one in options)]


def _add_config(
    parser: argparse.ArgumentParser, group: argparse._ArgumentGroup, config: Any, place: str, prefix: str
) -> None:
    hints, helps = get_type_hints(type(config)), documented_fields(type(config))
    for field in fields(config):
        value, name = getattr(config, field.name), field.name.replace("_", "-")
        where = f"{place}.{field.name}"
        if is_dataclass(value):
            _add_config(
                parser, parser.add_argument_group(f"{name} options", helps[field.name]), value, where, f"--{name}."
            )
        else:
            _add_option(group, prefix + name, hints[field.name], where, _help(helps[field.name], value))


def _add_option(group: argparse._ArgumentGroup, option: str, kind: Any, place: str, text: str) -> None:
    if kind is bool:
        group.add_argument(option, dest=place, action="store_const", const=True, help=text)
        return
    read, metavar, number = _reader(kind, option)
    group.add_argument(option, dest=place, type=read, metavar=metavar, nargs=number, help=text)


def _reader(kind: Any, option: str = "") -> tuple[Callable[[str], Any], str, int | str | None]:
    """What reads one value, what stands for it in the help, and how many an option takes."""
    inner = get_args(kind)
    if NoneType in inner:
        return _reader(next(one for one in inner if one is not NoneType), option)
    if get_origin(kind) is tuple:
        read, metavar, _ = _reader(inner[0], option)
        return read, metavar, "+" if inner[-1] is Ellipsis else len(inner)
    if get_origin(kind) is Literal:
        return _one_of(inner), "{" + ",".join(inner) + "}", None
    if kind in (int, float):
        return _number(kind), "N" if kind is int else "X", None
    if kind is Path:
        return user_path, "PATH", None
    return kind, option.split("-")[-1].upper().removesuffix("S"), None


def _number(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}") from None

    return read


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"expected one of {', '.join(choices)}, got {text!r}")
        return text

    return read


def _is_argument(one: inspect.Parameter) -> bool:
    return one.kind is not one.KEYWORD_ONLY


def _is_required(one: inspect.Parameter, hints: Mapping[str, Any]) -> bool:
    return one.default is EMPTY and not is_dataclass(hints[one.name])


def _shown(one: inspect.Parameter) -> str:
    """A parameter as a user types it: CONNECTOR, SET, --out."""
    if one.kind is one.VAR_POSITIONAL:
        return one.name.upper().removesuffix("S")
    return one.name.upper() if _is_argument(one) else f"--{one.name.replace('_', '-')}"


def _refuse_unknown(extra: Sequence[str], parser: argparse.ArgumentParser, prog: str) -> None:
    unknown = next((one.split("=")[0] for one in extra if one.startswith("-")), None)
    if unknown is not None:
        known = [option for action in parser._actions for option in action.option_strings]
        raise IsthmusError(f"unknown option {unknown}: {nearest(unknown, known)}see {prog} --help")
    if extra:
        raise IsthmusError(f"unexpected argument {extra[0]!r}: see {prog} --help")


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name closest to a misspelled one as a question, empty if none is close."""
    return "".join(f"did you mean {close}? " for close in get_close_matches(name, known, 1))


def _changed(config: Any, place: str, given: Mapping[str, Any]) -> Any:
    """The config with the fields that were given, the others as they were."""
    changes = {}
    for field in fields(config):
        value, where = getattr(config, field.name), f"{place}.{field.name}"
        if is_dataclass(value):
            changes[field.name] = _changed(value, where, given)
        elif where in given:
            changes[field.name] = given[where]
    return replace(config, **changes)


def _help(text: str, default: Any = None) -> str:
    text = text.replace("%", "%%")
    if default is EMPTY:
        return f"{text} (required)"
    return text if default is None or default is False or default in ((), "") else f"{text} (default: {default})"


def documented(command: Callable[..., None]) -> tuple[str, dict[str, str]]:
    """A docstring's text before ``Args:``, and the help of each parameter."""
    text, _, section = inspect.cleandoc(command.__doc__ or "").partition("\nArgs:\n")
    helps: dict[str, str] = {}
    for line in textwrap.dedent(section).splitlines():
        if not line.startswith(" "):
            name, _, line = line.partition(":")
        helps[name.lstrip("*")] = f"{helps.get(name.lstrip('*'), '')} {line.strip()}".strip()
    return text.strip(), helps


def documented_fields(config: type) -> dict[str, str]:
    """The help of each field of a config: the docstring below it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(config))).body
    assert isinstance(tree, ast.ClassDef)
    helps = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            helps[field.target.id] = " ".join(str(text.value.value).split())
    return helps
