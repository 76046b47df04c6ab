"""Edits as short text: read and written again they are the same, and wrong text is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attnviz
from attnviz import edits
from attnviz.edits.text import PART, canonical_edit, pairs_of, pairs_text
from attnviz.errors import EditMisfit, EditUnreadable
from attnviz.errors.base import Why
from attnviz.trace import Edit, Trace
from tests.refused import refused

SITE = "encoder.1.self"
T = 6
READ: dict[str, Trace] = {}


def trace_of(text: str, target: str = "") -> Trace:
    model = attnviz.load_model("zoo/reverse")
    if text not in READ:
        READ[text] = attnviz.trace(model, text, target or None)
    return READ[text]


positions = st.integers(0, T - 1)
heads = st.integers(0, 3)
anywhere = st.none() | positions
SOURCE = "a b c d e"
numbers = st.floats(-1e6, 1e6)
pairs = st.lists(st.tuples(positions, positions), min_size=1).map(lambda found: [*zip(*found, strict=True)])
edit = st.one_of(
    st.builds(edits.head_off, st.just(SITE), heads, st.sampled_from(["zero", "running_mean"])),
    st.builds(edits.cut, st.just(SITE), positions, anywhere, st.none() | heads),
    st.builds(edits.cut, st.just(SITE), st.none(), positions, st.none() | heads),
    st.builds(edits.temperature, st.just(SITE), st.none() | heads, st.floats(1e-6, 1e6)),
    st.builds(edits.set_weights, st.just(SITE), heads, st.just("uniform")),
    st.builds(edits.scale_head, st.just(SITE), heads, numbers),
    st.builds(lambda at: edits.patch(SITE, 0, at[0], trace_of(SOURCE), at[1]), pairs),
    st.builds(lambda at: edits.patch_stream(0, at[0], trace_of(SOURCE), at[1]), pairs),
    st.builds(edits.no_mask, st.just(SITE), st.none() | heads),
    st.builds(edits.no_scale, st.just(SITE), st.none() | heads),
    st.just(edits.no_positions()),
)


def told(edit: Edit) -> dict[str, object]:
    """All that an edit says, vectors as lists."""
    return {name: getattr(value, "tolist", lambda value=value: value)() for name, value in vars(edit).items()}


@settings(max_examples=60)
@given(st.lists(edit, max_size=4))
def test_edits_are_read_as_they_were_written(made: list[Edit]) -> None:
    text = edits.write_edits(made)
    read = edits.read_edits(text, trace_of)
    assert [*map(told, read)] == [*map(told, made)]
    assert edits.write_edits(read) == text
    assert PART.join(map(canonical_edit, text.split(PART) if text else [])) == text


@settings(max_examples=60)
@given(pairs)
def test_pairs_of_positions(at: list[tuple[int, ...]]) -> None:
    assert pairs_of(pairs_text(*at)) == ([*at[0]], [*at[1]])


@settings(max_examples=60)
@given(st.text())
def test_any_text_of_a_source(text: str) -> None:
    """Whatever is typed there, it reaches the model as it is, and no part of it is taken for an edit."""
    asked: list[tuple[str, str]] = []

    def source_of(text: str, target: str) -> Trace:
        asked.append((text, target))
        return trace_of(SOURCE)

    patch = edits.patch(SITE, 0, [1], trace_of(SOURCE))
    assert patch.source is not None  # type: ignore[attr-defined]
    object.__setattr__(patch, "source", patch.source._replace(text=text, target=text))  # type: ignore[attr-defined]
    edits.read_edits(edits.write_edits([patch, edits.no_positions()]), source_of)
    assert asked == [(text, text)]


@pytest.mark.parametrize(
    "word", ["", "x", "Off", "off:encoder.0.self", "off:a:-1", "off:a:0:x", "cut:a:*:1", "off:a:\u0661"]
)
def test_what_is_no_edit_says_how_one_is_written(word: str) -> None:
    if not word:
        assert edits.read_edits(word) == []
        return
    with pytest.raises(EditUnreadable, match="is not an edit"):
        edits.read_edits(f"no-positions;{word}")


def test_what_an_edit_would_mean_nothing_without() -> None:
    with refused(EditUnreadable("patch:a:0:1:b", Why("edit-source"))):
        edits.read_edits("patch:a:0:1:b")
    with refused(EditUnreadable("5-3", Why("edit-pairs", pairs="5-3"))):
        edits.read_edits("patch:a:0:5-3:b", trace_of)
    with refused(EditUnreadable("0-99999", Why("edit-pairs", pairs="0-99999"))):
        edits.read_edits("patch:a:0:0-99999:b", trace_of)
    with refused(EditUnreadable("scale:a:0:1e999", Why("edit-number", given="1e999"))):
        edits.read_edits("scale:a:0:1e999")
    with refused(EditMisfit("temperature", Why("temperature", given=0.0, least="1e-06", most="1e+06"))):
        edits.read_edits("temperature:a:0:0")


def test_what_has_no_short_text() -> None:
    matrix = edits.set_weights(SITE, 0, [[1.0]])
    edited = attnviz.trace(attnviz.load_model("zoo/reverse"), "a b", edits=[edits.no_positions()])
    for one, name in ((matrix, "SetWeights"), (edits.patch(SITE, 0, [0], edited), "Patch")):
        with refused(EditMisfit("write_edits", Why("edit-no-text", edit=name))):
            edits.write_edits([one])
