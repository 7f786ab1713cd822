"""Help texts out of docstrings: of functions, and of the fields of config dataclasses."""

import ast
import inspect
import textwrap
from collections.abc import Callable


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
