"""Source of functions and classes with all that they use of this package, as one file that imports none of it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Sources"]

OURS = "attnviz"
FOR_CHECKERS = re.compile(r"  # (type: ignore|noqa).*$", re.MULTILINE)

Origin = tuple[str, str]  # a module, and a name in it; "" for the module itself


class _Module(NamedTuple):
    """Definitions at the top level of a module.

    Attributes:
        definitions: classes, functions and constants by name.
        imports: what each imported name stands for.
    """

    lines: list[str]
    definitions: dict[str, ast.stmt]
    imports: dict[str, Origin]


class Sources:
    """Collects definitions, each after those that it uses.

    Args:
        stand_ins: names that are defined elsewhere, and not followed.
    """

    def __init__(self, stand_ins: Iterable[str] = ()) -> None:
        self._stand_ins = frozenset(stand_ins)
        self._imports: set[tuple[str, str, str]] = set()  # module, name in it, name here
        self._found: dict[str, str] = {}  # source by name

    def add(self, root: Callable[..., object]) -> None:
        """Add a function or class of this package, and all that it uses.

        Raises:
            ValueError: two different definitions have one name.
        """
        self._follow(root.__module__, root.__name__)

    @property
    def imports(self) -> str:
        """The imports of the definitions, those of this package left out."""
        whole = sorted(_named(f"import {module}", module, here) for module, name, here in self._imports if not name)
        names: dict[str, list[str]] = {}
        for module, name, here in sorted(self._imports):
            if name:
                names.setdefault(module, []).append(_named(name, name, here))
        return "\n".join([*whole, *(f"from {module} import {', '.join(each)}" for module, each in names.items())])

    @property
    def definitions(self) -> str:
        """The definitions, two empty lines between them."""
        return "\n\n\n".join(self._found.values())

    def _follow(self, module: str, name: str) -> None:
        known = _read(module)
        if name in self._stand_ins:
            return
        if name in known.definitions:
            self._take(module, name, known)
        elif name in known.imports:  # else it is a local name or a builtin
            origin = known.imports[name]
            if origin[0].split(".")[0] == OURS:
                self._follow(*origin)
            else:
                self._imports.add((*origin, name))

    def _take(self, module: str, name: str, known: _Module) -> None:
        node = known.definitions[name]
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        text = FOR_CHECKERS.sub("", "\n".join(known.lines[first - 1 : node.end_lineno]))
        if name in self._found:
            if self._found[name] not in ("", text):
                raise ValueError(f"two different definitions have the name {name}")
            return
        self._found[name] = ""  # it may use itself
        for used in ast.walk(node):
            if isinstance(used, ast.Name):
                self._follow(module, used.id)
        del self._found[name]  # it stands after those that it uses
        self._found[name] = text


def _named(text: str, name: str, here: str) -> str:
    return text if name == here else f"{text} as {here}"


@lru_cache
def _read(module: str) -> _Module:
    text = inspect.getsource(importlib.import_module(module))
    definitions: dict[str, ast.stmt] = {}
    imports: dict[str, Origin] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            definitions |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Import):
            imports |= {each.asname or each.name: (each.name, "") for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports |= {each.asname or each.name: (node.module or "", each.name) for each in node.names}
    return _Module(text.splitlines(), definitions, imports)
