"""Every text that people read comes from the catalogues, and the catalogues agree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from attnviz import errors, locale
from attnviz.training.recipes import OWN, RECIPES
from attnviz.view import STATIC
from attnviz.zoo import ORDER

ROOT = Path(__file__).parents[2]
CJK = re.compile(r"[\u4e00-\u9fff]")
UI_FILES = sorted([ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "attnviz" / "ui").rglob("*.py")])
JS_FILES = sorted([*STATIC.rglob("*.js"), *(ROOT / "attnviz" / "ui").rglob("*.js")])

# arguments of Streamlit's functions that are names for the program, not texts for people
TECHNICAL = {
    "key", "gap", "vertical_alignment", "horizontal_alignment", "label_visibility", "layout", "position", "icon",
    "persist_state", "initial_sidebar_state", "name", "js", "css", "type", "width", "height", "filter_mode", "bind",
}  # fmt: skip


def texts_in_python(path: Path) -> Iterator[str]:
    """String literals given to Streamlit's functions, st.* and methods of containers alike."""
    shows = re.compile(
        r"^(write|markdown|text|caption|title|header|subheader|info|warning|error|success|toast|button|selectbox|radio|"
        r"text_area|text_input|checkbox|toggle|slider|segmented_control|pills|expander|popover|tabs|metric|link_button|"
        r"download_button|set_page_config|Page|navigation|dialog|spinner|status|number_input|multiselect|page_link)$"
    )
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and shows.match(node.func.attr)):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "logger":
            continue
        values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg not in TECHNICAL)]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.strip():
                yield f"{path.name}:{value.lineno}: {value.value!r}"
            if isinstance(value, ast.JoinedStr) and any(
                isinstance(part, ast.Constant) and re.search(r"[A-Za-z]{2}", str(part.value)) for part in value.values
            ):
                yield f"{path.name}:{value.lineno}: f-string"


LITERAL = r"(?:\"([^\"]*)\"|'([^']*)'|`((?:[^`$]|\$\{[^}]*\}|\$)*)`)"
SHOWN_IN_JS = re.compile(
    rf"(?:\.(?:textContent|innerText|title|placeholder|alt|ariaLabel)\s*\+?=\s*|"
    rf"(?:\btext|\btitle|\bplaceholder|\balt|\"aria-label\"|'aria-label'|\"aria-description\")\s*:\s*|"
    rf"setAttribute\(\s*[\"'](?:title|aria-label|placeholder|alt)[\"']\s*,\s*|"
    rf"\bannounce\(\s*|createTextNode\(\s*){LITERAL}"
)


def texts_in_javascript(path: Path) -> Iterator[str]:
    """String literals with words in them that become a text, a title or a label of an element."""
    for match in SHOWN_IN_JS.finditer(path.read_text("utf-8")):
        text = re.sub(r"\$\{[^}]*\}", "", next(group for group in match.groups() if group is not None))
        if re.search(r"[A-Za-z]{2}", text) or CJK.search(text):
            yield f"{path.name}: {text!r}"


def test_no_text_stands_in_the_code() -> None:
    found = [text for path in UI_FILES for text in texts_in_python(path)]
    assert found == []


def test_no_text_stands_in_the_modules_of_the_view() -> None:
    assert JS_FILES
    found = [text for path in JS_FILES for text in texts_in_javascript(path)]
    assert found == []


def test_the_finders_find(tmp_path: Path) -> None:
    python = tmp_path / "a.py"
    python.write_text('st.button("Press me", key="x")\nbox.warning(f"Bad {name}")\nst.caption(say("page.x"))\n')
    assert len(list(texts_in_python(python))) == 2
    script = tmp_path / "a.js"
    script.write_text('a.textContent = "Hello";\nb.title = t("view.x");\nel("p", { "aria-label": `Head ${n}` });\n')
    assert len(list(texts_in_javascript(script))) == 2


def test_no_chinese_outside_the_catalogues() -> None:
    assert [path.name for path in [*UI_FILES, *JS_FILES] if CJK.search(path.read_text("utf-8"))] == []


def test_all_languages_have_the_same_messages() -> None:
    reference = locale.catalogue(locale.DEFAULT)
    for lang in locale.LANGUAGES:
        messages = locale.catalogue(lang)
        assert set(messages) == set(reference)
        for key, text in messages.items():
            assert text.strip(), key
            assert locale.placeholders(text) == locale.placeholders(reference[key]), key


def test_chinese_messages_are_chinese() -> None:
    """What reads the same in both languages is a technical term or a sign; few of all messages are."""
    same = [k for k, text in locale.catalogue("zh").items() if text == locale.catalogue("en")[k]]
    words = [k for k in same if re.search(r"[A-Za-z]{3,}", re.sub(r"\{\w+\}", "", locale.catalogue("en")[k]))]
    assert len(words) < 0.04 * len(locale.catalogue("en")), words


def test_every_error_has_a_message() -> None:
    def tree(kind: type[errors.AttnvizError]) -> Iterator[type[errors.AttnvizError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    for kind in tree(errors.AttnvizError):
        assert locale.has("en", f"error.{kind.code}"), kind


USED = re.compile(
    r"""["'`]((?:page|error|view|watch|applications|states|training|comparison|calculator)\.[\w.-]+)["'`]"""
)


@pytest.mark.parametrize("path", [*UI_FILES, *JS_FILES], ids=lambda path: path.name)
def test_every_message_that_is_asked_for_exists(path: Path) -> None:
    asked = set(USED.findall(path.read_text("utf-8")))
    asked = {key for key in asked if not key.endswith((".css", ".js"))}
    known = [*locale.catalogue("en")]  # some ask for all that begin alike
    assert {key for key in asked if not any(name.startswith(key) for name in known)} == set()


def as_key(word: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


def asked_for() -> tuple[set[str], list[re.Pattern[str]]]:
    """The words of the program, and its names of messages that are filled in, as patterns."""
    words, forms = set(), set()
    for path in [ROOT / "app.py", *(ROOT / "attnviz").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Constant(str(text)) | ast.Name(text) | ast.Attribute(attr=text) | ast.keyword(str(text)):
                    words.add(text)
                case ast.JoinedStr(parts):
                    forms.add(tuple(part.value if isinstance(part, ast.Constant) else None for part in parts))
    for path in JS_FILES:
        text = path.read_text("utf-8")
        words |= {word for pair in re.findall(r'"([^"\n]*)"|\b(\w+)\b', text) for word in pair}
        for form in re.findall(r"`([^`]*)`", text):
            fixed = re.split(r"\$\{[^}]*\}", form)
            forms.add(tuple(part for each in fixed for part in (None, each))[1:])
    named = (form for form in forms if None in form and re.match(r"[a-z]+\.", str(form[0])))
    return words, [re.compile("".join("(.+)" if p is None else re.escape(str(p)) for p in form)) for form in named]


def test_every_message_is_asked_for() -> None:
    words, forms = asked_for()
    known = {as_key(word) for word in words} | set("0123456789")
    codes = {getattr(errors, name).code for name in errors.__all__}
    models = {*RECIPES, *OWN, *ORDER}

    def is_asked(key: str) -> bool:
        group, name, *_ = key.split(".")
        if group in ("task", "zoo"):
            return name in models
        if group == "error" and name != "why":
            return name in codes
        filled = (".".join(found.groups()).split(".") for form in forms if (found := form.fullmatch(key)))
        return key in words or any(all(as_key(word) in known for word in parts) for parts in filled)

    unused = [
        key for key in locale.catalogue("en") if not key.startswith(("glossary.", "framework.")) and not is_asked(key)
    ]
    assert unused == []


def test_placeholders_are_filled_and_braces_of_values_left_alone() -> None:
    assert "{model}" in locale.t("en", "page.unknown_model", name="{model}")
    with pytest.raises(KeyError):
        locale.t("en", "page.unknown_model")
    with pytest.raises(KeyError):
        locale.t("en", "no such message")
    with pytest.raises(KeyError):
        locale.catalogue("xx")


def test_colours_are_told_so_that_it_is_true_in_light_and_dark() -> None:
    false = {
        "en": re.compile(r"\b(dark(er|est|ness)|light(er|est))\b", re.IGNORECASE),
        "zh": re.compile("越深|更深|最深|深浅"),
    }
    for lang, words in false.items():
        for key, text in locale.catalogue(lang).items():
            assert not words.search(text), f"{lang}: {key} is not true in both themes: {text!r}"
