"""Text that people typed, made safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from attnviz.locale import visible
from attnviz.ui.frame.language import code, plain, symbol


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_a_code_span_shows_any_text_literally(text: str) -> None:
    shown = visible(text)
    tokens = MarkdownIt().parseInline(code(text))[0].children or []
    assert [token.type for token in tokens] == ["code_inline"]
    assert tokens[0].content.strip() == shown.strip()


@pytest.mark.parametrize("text", ["<b>", "**a**", "[x](y)", "$x$", "`", "``a`", "a\nb", "# a", "\\"])
def test_markup_in_a_code_span_stays_text(text: str) -> None:
    assert "<code>" in MarkdownIt().renderInline(code(text))


def test_signs_for_what_cannot_be_seen() -> None:
    assert visible("a\n\tb\x07") == "a↵⇥b⟨U+0007⟩"
    assert visible("x" * 100, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("é", "`é`"),
        ("\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("\x00", "U+0000"),
        ("e\u0301", "`e\u0301` (U+0065 LATIN SMALL LETTER E, U+0301 COMBINING ACUTE ACCENT)"),
        (" ", "U+0020 SPACE"),
    ],
)
def test_symbols_are_named(text: str, name: str) -> None:
    assert symbol(text) == name


@pytest.mark.parametrize("text", ["<eos> is added", "27+58=580", "a > b", "* x_1 *", "`c` [d] $5$ ~~e~~"])
def test_plain_text_stays_plain(text: str) -> None:
    rendered = MarkdownIt().enable("strikethrough").renderInline(plain(text))
    unescaped = rendered.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert unescaped == text
