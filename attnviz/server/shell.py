"""The HTML document of every page: the framework's own, which asks at once for what the first picture takes.

Otherwise the browser would learn of each file from the one before it: the framework, its widgets, the view, its texts.
A script in it names what the framework leaves unnamed.
"""

from __future__ import annotations

import html
import itertools
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from attnviz import locale
from attnviz.server.people.classes import CLASS
from attnviz.server.people.identity import keep_identity
from attnviz.view import modules, texts

__all__ = ["FIRST", "THEMES", "language_of", "shell", "widget_files"]

WIDGETS = ("BidiComponent", "Html", "PageLink", "Button", "ButtonGroup", "Selectbox", "TextArea")

THEMES = ("light", "dark")
"""Values of the parameter "theme" of every page; the framework has a name of its own for it, to which it is turned."""

_NAMES = {
    lang: {name: locale.t(lang, f"page.{name}") for name in ("choose_file", "choose_row")} for lang in locale.LANGUAGES
}
_ENGLISH = locale.strings("en", "framework.")


def _words(lang: str) -> dict[str, str]:
    """Return what the framework says in English, each with what it says in a language where that is not the same."""
    meant = locale.strings(lang, "framework.")
    pairs = ((re.sub(r"{\w+}", "{}", said), re.sub(r"{\w+}", "{}", meant[key])) for key, said in _ENGLISH.items())
    return {said: text for said, text in pairs if text != said}


_WORDS = {lang: _words(lang) for lang in locale.LANGUAGES}
_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")
for _table in (_NAMES, _WORDS):
    _SCRIPT = _SCRIPT.replace(" = {};", f" = {json.dumps(_table, ensure_ascii=False)};", 1)
FIRST = "attnviz/first"
"""Path of the picture of an address, see `attnviz.server.first`."""

FIRST_PAGE = "explorer"
OWN_LOOK = frozenset({"embed", "embed_options", "present", "lock", "tour", "mode"})
"""Parameters of an address whose page looks another way than the document can know."""

WIDE = "(min-width: 961px)"
"""Screens on which the picture comes before its page; on others it begins below the first screen."""


class Letters(StringConvertor):
    """A name as pages have it: no file, and nothing that the framework answers itself."""

    regex = "[A-Za-z-]+"


register_url_convertor("letters", Letters())

CHARSET = '<meta charset="UTF-8" />'
_IMPORT = re.compile(r"""(?:from|import)\s*["'`]\./([\w.-]+\.js)["'`]""")


def shell(static: Path, pages: Mapping[str, str], root: str = "") -> list[Route]:
    """Routes that answer with the document; for a page that is not there with that of the first, which says so.

    Args:
        static: the framework's static files, its index.html among them.
        pages: the path of each page, by its name.
        root: path below which the pages are, without a slash at its end.
    """
    index = (static / "index.html").read_text("utf-8")
    scripts = [f"./static/js/{name}" for name in widget_files(static / "static" / "js", WIDGETS)]
    paths = [*pages.items(), (FIRST_PAGE, f"{root}/{{name:letters}}")]
    return [Route(path, _answer(index, page, scripts, root or "/")) for page, path in paths]


def _answer(index: str, page: str, scripts: Sequence[str], home: str) -> Callable[[Request], Response]:
    kinds = itertools.product(locale.LANGUAGES, (False, True))
    documents = {(lang, early): _document(index, page, lang, scripts, early) for lang, early in kinds}

    def answer(request: Request) -> Response:
        query = request.query_params
        if query.get("theme") in THEMES:
            return RedirectResponse(f"?{urlencode(_themed(query.multi_items()))}")
        text = documents[language_of(request), page == FIRST_PAGE and OWN_LOOK.isdisjoint(query)]
        document = HTMLResponse(text.replace(FIRST, html.escape(f"{FIRST}?{request.url.query}"), 1))
        keep_identity(request, document, home)
        return document

    return answer


def _themed(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parameters of an address with its theme as the framework reads it, in place of any other one."""
    framework = [("embed_options", f"{theme}_theme") for theme in THEMES]
    others = [pair for pair in query if pair not in framework]
    return [("embed_options", f"{value}_theme") if name == "theme" else (name, value) for name, value in others]


def widget_files(folder: Path, widgets: Sequence[str]) -> list[str]:
    """The scripts of some widgets in the framework's folder, and those that they import; an unknown widget has none."""
    found: dict[str, None] = {}
    waiting = [path.name for name in widgets for path in folder.glob(f"{name}.*.js")]
    while waiting:
        name = waiting.pop()
        if name not in found and (folder / name).is_file():
            found[name] = None
            waiting += _IMPORT.findall((folder / name).read_text("utf-8"))
    return list(found)


def _class_script() -> str:
    """Return the script for the line that members of a class have on every page."""
    words = {lang: locale.strings(lang, "class.bar.", "class.student") for lang in locale.LANGUAGES}
    return (Path(__file__).parent / "people" / "class.js").read_text("utf-8").replace("{}", json.dumps(words), 1)


def _document(index: str, page: str, lang: str, scripts: Iterable[str], early: bool) -> str:
    view = f'<link rel="modulepreload" href="./{modules.address()}">'
    picture, words = (f'href="./{path}">' for path in (FIRST, texts.address(lang)))
    wanted = [f'<link rel="modulepreload" crossorigin href="{script}">' for script in scripts if script not in index]
    wanted.append(f'<script type="module">{_SCRIPT}</script>')
    if os.environ.get(CLASS):
        wanted.append(f'<script type="module">{_class_script()}</script>')
    if early:  # the picture comes before the page: its files are asked for before those of the framework
        ahead = [f'<link rel="preload" as="fetch" crossorigin media="{WIDE}" {file}' for file in (picture, words)]
        script = f'<script type="module" async>{_first_script(lang)}</script>'
        index = index.replace(CHARSET, "\n".join([CHARSET, *ahead, view, script]), 1)
    else:
        # "prefetch": a browser complains of a "preload" that a slow page takes seconds to use
        wanted += [view, f'<link rel="prefetch" {words}']
    title = f"<title>{html.escape(locale.t(lang, 'page.title', page=locale.t(lang, f'page.{page}')))}</title>"
    document = re.sub("<title>.*?</title>", title, index, count=1).replace('<html lang="en">', f'<html lang="{lang}">')
    return document.replace("</head>", "\n".join([*wanted, "</head>"]), 1)


@cache
def _first_script(lang: str) -> str:
    script = Path(__file__).with_name("first.js").read_text("utf-8")
    filled = {modules.MODULES_PATH: modules.address(), texts.TEXTS_PATH: texts.address(lang), "(min-width: 0)": WIDE}
    for name, value in filled.items():
        script = script.replace(f'"{name}"', json.dumps(value), 1)
    return script


def language_of(request: Request) -> str:
    """Return the language of the page: the link's, or the first that the browser names."""
    first = re.split("[,;]", request.headers.get("accept-language", ""), maxsplit=1)[0].strip()
    return locale.closest(request.query_params.get("lang", "")) or locale.closest(first) or locale.DEFAULT
