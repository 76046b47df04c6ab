"""Compare: another text, model, checkpoint or head beside the chosen one, A and B, in one view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.analysis.alignment import equal_blocks
from attnviz.errors import AttnvizError, RunError
from attnviz.loading import checkpoint_name, is_checkpoint, open_checkpoint
from attnviz.locale import sentences
from attnviz.server.forward import run
from attnviz.server.learned import check
from attnviz.server.listing import Listed
from attnviz.server.picture import Beside
from attnviz.server.reads import Reads
from attnviz.server.traces import Held, TraceKey
from attnviz.trace import Trace
from attnviz.ui.explorer.inputs import reads_of_listed
from attnviz.ui.explorer.link import examples_of
from attnviz.ui.explorer.numbers import output_table
from attnviz.ui.frame.address import notice
from attnviz.ui.frame.choices import find, listed
from attnviz.ui.frame.language import current, explain, plain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.titles import full_title
from attnviz.ui.frame.view import show_view
from attnviz.ui.frame.widgets import Widget, select

__all__ = ["apply", "parameters", "show"]

TABLE_HEIGHT = 420  # pixels


@dataclass
class CompareState:
    """State of the mode; what is empty is as in A.

    Attributes:
        begun: the text of B was given its default.
    """

    model = Widget("compare-model", "")
    text = Widget("compare-text", "")
    target = Widget("compare-target", "")

    begun: bool = False


def apply(link: Mapping[str, str]) -> None:
    """Set B from an address."""
    name = link.get("model2", "")
    if name and find(name) is None:
        notice("page.unknown_model", name=name)
        name = ""
    CompareState.model.value = name
    CompareState.text.value, CompareState.target.value = link.get("text2", ""), link.get("target2", "")
    page_state(CompareState).begun = not {"model2", "text2", "target2"}.isdisjoint(link)


def parameters(key: TraceKey) -> Mapping[str, str]:
    """Return what B has of its own; at first that is another example of the model."""
    state = page_state(CompareState)
    if not state.begun:
        state.begun = True
        model = find(key.model)
        others = () if model is None else examples_of(model, reads_of_listed(model) or Reads())
        text, target = next((pair for pair in others if pair[0] != key.text), ("", ""))
        CompareState.text.value, CompareState.target.value = text, target
    return {"model2": CompareState.model.value, "text2": CompareState.text.value, "target2": CompareState.target.value}


def show(key: TraceKey, messages: DeltaGenerator) -> None:
    """Show both in one view, and what can be compared."""
    other = _choose(key)
    mine, theirs = _held("a", key, messages), _held("b", other, messages)
    if mine is not None and theirs is not None:
        st.caption(_comparable(mine.trace, theirs.trace))
        if mine.trace.sites and theirs.trace.sites:
            show_view(key, mine, current(), messages, Beside(other, theirs, "pair"))
        else:
            _show_answers((key, mine.trace), (other, theirs.trace))
    elif mine is not None:  # until B can be read, there is A
        show_view(key, mine, current(), messages)


def _held(side: str, key: TraceKey, messages: DeltaGenerator) -> Held | None:
    """Return the trace of a side; None where it is refused, and the page says why."""
    try:
        check(key)
        return run(key)
    except AttnvizError as error:
        messages.warning(say("compare.refused", side=_title(side), reason=explain(error)))
        return None


SIDE = {"a": "own", "b": "other"}


def _choose(key: TraceKey) -> TraceKey:
    """Place the fields of B, and return its key."""
    with st.container(horizontal=True, key="texts-b", gap="small", vertical_alignment="bottom"):
        models = {model.name: model for model in _models(key)}
        titles = {
            "": say("compare.same_model"),
            **{name: full_title(model, current()) for name, model in models.items()},
        }
        CompareState.model.hold(titles, "")
        name = select(say("compare.model"), CompareState.model, titles, required=True, width=250)
        model = models.get(name) or find(key.model)
        reads = (None if model is None else reads_of_listed(model)) or Reads()  # the message says why
        if reads.text:
            hint = say("compare.same_text")
            st.text_area(say("compare.text"), height=68, placeholder=hint, **CompareState.text.kept)
        if reads.second:
            label = say("compare.target" if reads.second == "target" else "compare.second")
            st.text_area(label, height=68, placeholder=say("compare.same_text"), **CompareState.target.kept)
    text = CompareState.text.value if CompareState.text.value.strip() else key.text
    is_same_text = text == key.text
    target = CompareState.target.value or (key.target if is_same_text else "")
    return TraceKey(
        key.model if model is None else model.name,
        text if reads.text else "",
        target if reads.second else "",
        key.version if model is None else model.version,
        key.image if reads.image else "",
        key.edits,
    )


def _models(key: TraceKey) -> list[Listed]:
    """Return the models to choose from; where A is a checkpoint of a run, its other checkpoints come first."""
    names: list[str] = []
    if is_checkpoint(key.model):
        try:
            run_, _ = open_checkpoint(key.model)
            names = [checkpoint_name(run_, step) for step in run_.checkpoints()]
        except RunError:  # the picture says why
            names = []
    found = [find(name) for name in (*names, CompareState.model.value) if name]
    return [*filter(None, found), *listed(current()).values()]


def _comparable(mine: Trace, theirs: Trace) -> str:
    """Say in a sentence what the two have in common."""
    if not mine.sites or not theirs.sites:
        return say("compare.no_attention")
    a, b = mine.tokens, theirs.tokens
    common = sum(block.size for block in equal_blocks(a, b))
    partners = {site.place: site.n_heads for site in theirs.sites}
    both = sum(min(site.n_heads, partners.get(site.place, 0)) for site in mine.sites)
    heads = {name: sum(site.n_heads for site in trace.sites) for name, trace in (("a", mine), ("b", theirs))}
    tokens = say("compare.tokens", a=len(a), b=len(b), n=common) if common else say("compare.no_tokens")
    return sentences([tokens, say("compare.heads", n=both, **heads)])


def _show_answers(*traces: tuple[TraceKey, Trace]) -> None:
    """Show what comes out at each position, side by side."""
    for side, column, (key, trace) in zip(SIDE, st.columns(len(SIDE)), traces, strict=True):
        if trace.outputs is not None:
            model = find(key.model)
            title = trace.model.facts.name if model is None else full_title(model, current())
            column.markdown(f"**{_title(side)}** · {plain(title)}")
            column.dataframe(output_table(trace, trace.outputs), width="stretch", height=TABLE_HEIGHT)


def _title(side: str) -> str:
    return say(f"view.frame.side.pair.{SIDE[side]}")
