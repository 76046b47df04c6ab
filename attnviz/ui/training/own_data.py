"""Data of one's own on the Training page: typed, pasted or read from a file, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from attnviz.errors import AttnvizError, DataEncodingUnclear
from attnviz.locale import listed, visible
from attnviz.tasks import Choice, Task
from attnviz.tasks.base import Note, Split
from attnviz.tasks.own.readers.decoding import ENCODINGS, MOST_BYTES
from attnviz.tasks.own.readers.delimited import Layout
from attnviz.tasks.own.readers.workbooks import WORKBOOKS, as_table
from attnviz.training.recipes import OWN
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.files import choose_file
from attnviz.ui.frame.language import code, current, explain, plain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import Widget, select
from attnviz.ui.training.draft import HELD, File
from attnviz.ui.training.state import Source, TrainingState

__all__ = [
    "file_of", "forget", "held_files", "layout_of", "own_data", "own_notes", "put", "reading", "said", "split_file",
]  # fmt: skip

MOST_MB = MOST_BYTES // 2**20
KINDS = ("txt", "csv", "tsv", "jsonl", "ndjson", "conll", "iob", "bio")
SEPARATOR = "separator"  # name of the choice that tables have
SHOWN = 4  # records of the preview
MOST_SHOWN = 12  # columns of the preview
MOST_SHEETS = 6  # that are named as not read


def own_data(recipe: str) -> None:
    """Show the field for the data of a recipe, one of OWN, a way to fill it from a file, and how it is read."""
    data = TrainingState.data(recipe)
    st.text_area(
        say(f"training.data.{recipe}"),
        height=130,
        placeholder=say(f"training.data.{recipe}.placeholder"),
        on_change=_edited,
        args=(recipe,),
        **data.kept,
    )
    take = partial(_uploaded, recipe)
    choose_file(say("training.upload", limit=MOST_MB), _kinds(recipe), f"{data.key}-file", MOST_MB, take)
    _encoding(recipe)
    if data.value.strip() and OWN[recipe].layout is not None:
        reading(recipe, data.value, recipe)


def held_files(recipe: str) -> None:
    """Take files of their own for validation and test."""
    files = page_state(TrainingState).files.setdefault(recipe, {})
    for split in HELD:
        encoding = TrainingState.encoding(f"{recipe}-{split}")
        take = partial(_take_held, recipe, split)
        split_file(split, f"held-{recipe}", files, _kinds(recipe), MOST_MB, encoding, take)


def _take_held(recipe: str, split: Split, content: bytes, name: str, encoding: str = "") -> None:
    widget = TrainingState.encoding(f"{recipe}-{split}")
    page_state(TrainingState).files.setdefault(recipe, {})[split] = file_of(content, name, encoding, MOST_BYTES, widget)


def _kinds(recipe: str) -> tuple[str, ...]:
    """Return the endings of the files that a recipe takes."""
    return (*KINDS, *(kind.removeprefix(".") for kind in WORKBOOKS)) if _is_table(recipe) else KINDS


def split_file(
    split: Split,
    place: str,
    files: dict[Split, File],
    kinds: Sequence[str],
    most_mb: int,
    encoding: Widget[str],
    take: Callable[..., None],
) -> None:
    """Show a field for the file of a split, and the one that there is.

    Args:
        place: name of the form, in the keys of its controls.
        files: of all splits.
        kinds: endings of the files to choose from.
        most_mb: megabytes that a file may have.
        encoding: choice of an encoding.
        take: is given the content of a file, its name, and an encoding; "": told by the file.
    """
    file = files.get(split)
    uploaded = partial(_take_likely_file, take)
    choose_file(say(f"tuning.file.{split}", limit=most_mb), kinds, f"{place}-{split}", most_mb, uploaded)
    if file is None:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"{place}-file-{split}"):
        st.caption(code(file.name) if file.name else say("tuning.file.given"), width="stretch")
        drop, key = say("tuning.file.drop"), f"{place}-drop-{split}"
        st.button(drop, key=key, type="tertiary", on_click=_drop, args=(files, split))
    say_sheets(file.sheets)
    if file.content is not None:
        choose_encoding(encoding, partial(take, file.content, file.name))


def say_sheets(sheets: Sequence[str]) -> None:
    """Say which sheet of a workbook is read, where there are several."""
    if len(sheets) > 1:
        others = [code(name, 40) for name in sheets[1 : 1 + MOST_SHEETS]]
        more = "" if len(sheets) <= 1 + MOST_SHEETS else " …"
        st.caption(say("training.sheets", sheet=code(sheets[0], 40), others=listed(current(), others) + more))


def _drop(files: dict[Split, File], split: Split) -> None:
    files.pop(split, None)


def _take_likely_file(take: Callable[..., None], content: bytes, name: str) -> None:
    take_likely(partial(take, content, name))


def file_of(content: bytes, name: str, encoding: str, limit: int, widget: Widget[str]) -> File:
    """Return a file, with its bytes where its encoding is not certain; the choice of an encoding is set to its own."""
    found = as_table(content, Path(name).suffix.lower(), encoding, limit)
    widget.value = found.encoding
    return File(found.text, name, None if found.certain and not encoding else content, found.sheets)


def own_notes(task: Task) -> None:
    """Say what a person should know of their data before they are learned from."""
    notes = _notes(task)
    if notes:
        with st.container(key="notes", gap="xxsmall"):
            for note in notes:
                text = plain(say(note.key, **note.values))
                st.caption(f":material/warning: {text}" if note.warns else text)


@lru_cache(4)
def _notes(task: Task) -> tuple[Note, ...]:
    return task.notes()


def put(recipe: str, text: str, content: bytes | None = None, sheets: tuple[str, ...] = ()) -> None:
    """Put data into the field of a recipe; see `Source` for the rest."""
    TrainingState.data(recipe).value = text
    page_state(TrainingState).sources[recipe] = Source(_first_line(text), content, sheets)


def _edited(recipe: str) -> None:
    """Another first line is another table: what was said of the one before is forgotten."""
    sources, first = page_state(TrainingState).sources, _first_line(TrainingState.data(recipe).value)
    if recipe not in sources or sources[recipe].first_line != first:
        forget(recipe, recipe)
    sources[recipe] = Source(first)


def _first_line(text: str) -> str:
    """Return the first line that is not blank."""
    return text.strip().split("\n", 1)[0]


def forget(recipe: str, key: str) -> None:
    """Set how data are read back to the example's; see `reading`."""
    for choice in OWN[recipe].kind.readings():
        TrainingState.choice(key, choice.name).value = getattr(OWN[recipe].example.task, choice.name)


def _uploaded(recipe: str, content: bytes, name: str) -> None:
    """Take a file that was handed in."""
    take_likely(partial(_take, recipe, content, Path(name).suffix.lower()))


def take_likely(take: Callable[[str], None]) -> None:
    """Take a file in the encoding that it tells, or in the likeliest one, of which the page then says so.

    Args:
        take: is given the encoding; "": told by the file.
    """
    try:
        take("")
    except DataEncodingUnclear as error:
        notice_error(error)
        take(error.names[0])


def _take(recipe: str, content: bytes, kind: str, encoding: str = "") -> None:
    """Put a file's text into the field; its bytes are kept where its encoding is not certain."""
    found = as_table(content, kind, encoding, MOST_BYTES)
    TrainingState.encoding(recipe).value = found.encoding
    put(recipe, found.text, None if found.certain and not encoding else content, found.sheets)
    forget(recipe, recipe)


def _is_table(recipe: str) -> bool:
    return any(choice.name == SEPARATOR for choice in OWN[recipe].kind.readings())


def _encoding(recipe: str) -> None:
    """Say which sheet of a file is read, and let its encoding be changed if the file does not tell it for certain."""
    source = page_state(TrainingState).sources.get(recipe, Source())
    say_sheets(source.sheets)
    if source.content is not None:
        choose_encoding(TrainingState.encoding(recipe), partial(_take, recipe, source.content, ""))


def choose_encoding(widget: Widget[str], take: Callable[[str], None]) -> None:
    """Show the encoding of a file; `take` is given another one that is chosen."""
    label, about = say("training.reading.encoding"), say("training.reading.encoding.help")
    select(label, widget, ENCODINGS, on_change=_reread, args=(widget, take), help=about)


def _reread(widget: Widget[str], take: Callable[[str], None]) -> None:
    """Read a file in the encoding that was chosen."""
    try:
        take(widget.value)
    except AttnvizError as error:
        notice_error(error)


def reading(recipe: str, text: str, key: str, hidden: Container[str] = ()) -> None:
    """Show the first records of data, and a choice for everything that may be read in another way.

    Args:
        recipe: recipe whose data are laid out alike.
        text: the data.
        key: recipe, or another name, that the controls are for.
        hidden: choices that are not offered.
    """
    choices = [choice for choice in OWN[recipe].kind.readings() if choice.name not in hidden]
    layout = layout_of(recipe, text, said(recipe, key))
    with st.container(key="reading", gap="xsmall"):
        if layout is not None:
            _preview(layout)
            if layout.unclear is not None:
                st.warning(explain(layout.unclear))
        for start in range(0, len(choices), 2):
            for place, choice in zip(st.columns(2, gap="small"), choices[start : start + 2], strict=False):
                with place:
                    _choose(choice, layout, TrainingState.choice(key, choice.name))


def said(recipe: str, key: str) -> tuple[tuple[str, str | int], ...]:
    """Return what the controls say of how data are read."""
    names = [choice.name for choice in OWN[recipe].kind.readings()]
    return tuple((name, TrainingState.choice(key, name).value) for name in names)


@lru_cache(4)
def layout_of(recipe: str, text: str, said: tuple[tuple[str, str | int], ...]) -> Layout | None:
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


def _choose(choice: Choice, layout: Layout | None, widget: Widget[Any]) -> None:
    """Show the control of one choice; its first option says what the data tell, or asks."""
    taken: Mapping[str, str | int] = {} if layout is None else layout.taken
    width = max(widget.value, layout.width if layout is not None else 0) if _is_column(choice) else 0
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

    select(say(f"training.reading.{choice.name}"), widget, {option: written(option) for option in options})


def _is_column(choice: Choice) -> bool:
    return choice.name.endswith("_column")
