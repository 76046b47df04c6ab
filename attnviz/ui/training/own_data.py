"""Data of one's own on the Training page: typed, pasted or read from a file, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import streamlit as st

from attnviz.errors import AttnvizError, DataEncodingUnclear
from attnviz.locale import visible
from attnviz.tasks import Choice
from attnviz.tasks.own.readers.decoding import ENCODINGS, MOST_BYTES, decode
from attnviz.tasks.own.readers.delimited import Layout
from attnviz.training.recipes import OWN
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.files import choose_file
from attnviz.ui.frame.language import explain, say
from attnviz.ui.frame.settings import KEEP

__all__ = ["first_line", "own_data"]

MOST_MB = MOST_BYTES // 2**20
KINDS = ("txt", "csv", "tsv", "conll", "iob", "bio")
SHOWN = 4  # records of the preview
MOST_SHOWN = 12  # columns of the preview

KeyOf = Callable[[str], str]


def own_data(recipe: str, key: str, key_of: KeyOf) -> None:
    """Show the field for the data of a recipe, a way to fill it from a file, and how it is read.

    Args:
        recipe: one of OWN.
        key_of: the key in the session of a choice about reading, by its name.
    """
    st.text_area(
        say(f"training.data.{recipe}"),
        key=key,
        height=130,
        placeholder=say(f"training.data.{recipe}.placeholder"),
        on_change=_edited,
        args=(recipe, key, key_of),
        persist_state="session",
    )
    take = partial(_uploaded, recipe, key, key_of)
    choose_file(say("training.upload", limit=MOST_MB), KINDS, f"{key}-file", MOST_MB, take)
    _encoding(recipe, key, key_of)
    if st.session_state.get(key, "").strip() and OWN[recipe].layout is not None:
        _reading(recipe, st.session_state[key], key_of)


def _edited(recipe: str, key: str, key_of: KeyOf) -> None:
    """Another first line is another table: what was said of the one before is forgotten."""
    state = st.session_state
    state.pop(f"{key}-bytes", None)
    first = first_line(state[key])
    if first != state.get(f"{key}-first"):
        _forget(recipe, key_of)
    state[f"{key}-first"] = first


def first_line(text: str) -> str:
    """Return the first line that is not blank; the settings of a table hold while it is the same."""
    return text.strip().split("\n", 1)[0]


def _forget(recipe: str, key_of: KeyOf) -> None:
    example = OWN[recipe].example.task
    st.session_state.update({key_of(each.name): getattr(example, each.name) for each in OWN[recipe].kind.readings()})


def _uploaded(recipe: str, key: str, key_of: KeyOf, data: bytes, name: str) -> None:
    """Take a file that was handed in."""
    try:
        _take(recipe, key, key_of, data)
    except DataEncodingUnclear as error:
        notice_error(error)
        _take(recipe, key, key_of, data, error.names[0])
        st.session_state[f"{key}-bytes"] = data


def _take(recipe: str, key: str, key_of: KeyOf, data: bytes, encoding: str = "") -> None:
    """Put a file's text into the field; its bytes are kept where its encoding is not certain."""
    state = st.session_state
    found = decode(data, encoding)
    state.update({key: found.text, f"{key}-first": first_line(found.text), f"{key}-encoding": found.encoding})
    state[f"{key}-bytes"] = None if found.certain else data
    _forget(recipe, key_of)


def _encoding(recipe: str, key: str, key_of: KeyOf) -> None:
    """Show the encoding of a file, and let it be changed if the file does not tell it for certain."""
    state = st.session_state
    if state.get(f"{key}-bytes") is None:
        return
    st.selectbox(
        say("training.reading.encoding"),
        list(ENCODINGS),
        format_func=ENCODINGS.__getitem__,
        key=f"{key}-encoding",
        on_change=_reread,
        args=(recipe, key, key_of),
        help=say("training.reading.encoding.help"),
        **KEEP,
    )


def _reread(recipe: str, key: str, key_of: KeyOf) -> None:
    """Read the file in the encoding that was chosen."""
    state = st.session_state
    data = state[f"{key}-bytes"]
    try:
        _take(recipe, key, key_of, data, state[f"{key}-encoding"])
    except AttnvizError as error:
        notice_error(error)
    state[f"{key}-bytes"] = data


def _reading(recipe: str, text: str, key_of: KeyOf) -> None:
    """Show the first records, and a choice for everything that may be read in another way."""
    choices = OWN[recipe].kind.readings()
    said = {choice.name: st.session_state[key_of(choice.name)] for choice in choices}
    layout = _layout(recipe, text, tuple(said.items()))
    with st.container(key="reading", gap="xsmall"):
        if layout is not None:
            _preview(layout)
            if layout.unclear is not None:
                st.warning(explain(layout.unclear))
        for start in range(0, len(choices), 2):
            for place, choice in zip(st.columns(2, gap="small"), choices[start : start + 2], strict=False):
                with place:
                    _choose(choice, layout, key_of(choice.name))


@lru_cache(4)
def _layout(recipe: str, text: str, said: tuple[tuple[str, str | int], ...]) -> Layout | None:
    """Return the layout of the data; None if they cannot be read, which the page says below them."""
    layout = OWN[recipe].layout
    assert layout is not None
    try:
        return layout(text, **dict(said))
    except AttnvizError:
        return None


def _preview(layout: Layout) -> None:
    """Show the first records as a table; columns have their number, their header, and what they are taken for."""
    roles = {value: say(f"training.reading.{name}") for name, value in layout.taken.items() if name.endswith("_column")}
    names = {} if layout.header is None else {n: layout.header.cell(n) for n in range(1, layout.width + 1)}
    shown = sorted({*range(1, min(layout.width, MOST_SHOWN) + 1), *(n for n in roles if isinstance(n, int))})
    table = {
        " · ".join(filter(None, (str(n), visible(names.get(n, ""), 24), roles.get(n)))): [
            visible(record.cell(n), 80) for record in layout.records[:SHOWN]
        ]
        for n in shown
    }
    st.dataframe(table, hide_index=True, height="content")


def _choose(choice: Choice, layout: Layout | None, key: str) -> None:
    """Show the control of one choice; its first option says what the data tell, or asks."""
    taken: Mapping[str, str | int] = {} if layout is None else layout.taken
    width = max(st.session_state[key], layout.width if layout is not None else 0) if _is_column(choice) else 0
    options = list(range(width + 1) if _is_column(choice) else choice.values)

    def written(value: object) -> str:
        if value in (0, "auto"):
            found = taken.get(choice.name)
            return say("training.reading.ask") if found is None else say("training.reading.found", value=named(found))
        return named(value)

    def named(value: object) -> str:
        if not _is_column(choice):
            return say(f"training.reading.{choice.name}.{value}")
        header = "" if layout is None or layout.header is None else layout.header.cell(int(str(value)))
        return f"{value} · {visible(header, 24)}" if header else str(value)

    st.selectbox(say(f"training.reading.{choice.name}"), options, format_func=written, key=key, **KEEP)


def _is_column(choice: Choice) -> bool:
    return choice.name.endswith("_column")
