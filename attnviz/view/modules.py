"""The browser's modules joined into one, which comes with one request and stands whole in a saved page.

A module becomes a function that is called once, after those of the modules that it imports; nothing in it changes but
its imports and exports. A style sheet that a module imports comes as its text.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from functools import cache

from attnviz.view import STATIC

__all__ = ["LATER", "LATER_PATH", "MODULES_PATH", "address", "joined", "later", "later_address", "served"]

MODULES_PATH = "attnviz/view/modules.js"
LATER_PATH = "attnviz/view/later"
MOUNTS = {
    "explorer": "main.js",
    "watch": "watch/watch.js",
    "prepare": "watch/prepare.js",
    "formulas": "panels/byhand.js",
}
LATER = {
    "compare": {"compare": ("watch/compare.js", "mount")},
    "formed": {"Formed": ("watch/formed.js", "Formed")},
    "whatif": {
        "Menu": ("whatif/menu.js", "Menu"),
        "Score": ("whatif/sweep.js", "Score"),
        "Sweep": ("whatif/sweep.js", "Sweep"),
    },
    "heads": {"Finder": ("heads/finder.js", "Finder")},
    "logits": {"Lens": ("logits/lens.js", "Lens"), "Parts": ("logits/parts.js", "Parts")},
    "plane": {"Plane": ("plane/plane.js", "Plane")},
    "several": {"several": ("several/several.js", "mount")},
    "why": {"Why": ("why/why.js", "Why")},
    "write": {"write": ("write/write.js", "mount")},
}
"""Modules that a view imports, or a page mounts, when they are first asked for."""

_IMPORT = re.compile(r'^import (?:(\{.*\}|\w+) from )?"(\..+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(exports: Mapping[str, tuple[str, str]]) -> str:
    """One module with all that its exports need.

    Args:
        exports: for each name, the module it is in and what it is called there.

    Raises:
        ValueError: a module imports or exports in another way than ours do, or modules import each other in a circle.
    """
    parts: dict[str, str] = {}
    for module, _ in exports.values():
        _add(module, parts, ())
    ends = [f"export const {name} = {_variable(module)}.{inner};" for name, (module, inner) in exports.items()]
    return "\n".join([*parts.values(), *ends, ""])


def _add(name: str, parts: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import each other in a circle: {' -> '.join([*above, name])}")
    if name in parts:
        return
    source = (STATIC / name).read_text("utf-8")
    if name.endswith(".css"):
        parts[name] = f"const {_variable(name)} = {{ default: {json.dumps(source, ensure_ascii=False)} }};"
        return
    room = posixpath.dirname(name)

    def bound(found: re.Match[str]) -> str:
        names, other = found[1], posixpath.normpath(posixpath.join(room, found[2]))
        _add(other, parts, (*above, name))
        if not names:
            return ""
        names = names.replace(" as ", ": ") if names.startswith("{") else f"{{ default: {names} }}"
        return f"const {names} = {_variable(other)};"

    body = _EXPORT.sub("", _IMPORT.sub(bound, source))
    if left := _LEFT.search(body):
        raise ValueError(f"{name}: cannot join {left[0]!r}")
    exported = ", ".join(_EXPORT.findall(source))
    parts[name] = f"// {name}\nconst {_variable(name)} = (() => {{\n{body}return {{ {exported} }};\n}})();"


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name)


@cache
def served() -> bytes:
    """The module that a server sends: every view's `mount`, by the names of `MOUNTS`."""
    return joined({name: (module, "mount") for name, module in MOUNTS.items()}).encode()


@cache
def later(name: str) -> bytes:
    """Return a module that a view imports later.

    Raises:
        KeyError: there is none of that name.
    """
    return joined(LATER[name]).encode()


@cache
def address() -> str:
    """Return the address of the module on a server, relative to the app; another content has another one."""
    return f"{MODULES_PATH}?v={_hash(served())}"


@cache
def later_address(name: str) -> str:
    """Return the address of a module that a view imports later, likewise."""
    return f"{LATER_PATH}/{name}.js?v={_hash(later(name))}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
