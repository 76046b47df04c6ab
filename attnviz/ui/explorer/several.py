"""Several texts at once: the same head over all of them, and one number of each in a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from attnviz.analysis.reading import answer, entropy, weight_to
from attnviz.analysis.telling import most_telling
from attnviz.edits import effect
from attnviz.errors import AttnvizError
from attnviz.locale import visible
from attnviz.server.forward import run
from attnviz.server.learned import check, expected_of
from attnviz.server.reads import Reads
from attnviz.server.traces import TraceKey
from attnviz.trace import AttentionSite, Trace
from attnviz.ui.explorer import link
from attnviz.ui.explorer.inputs import reads_of_listed
from attnviz.ui.explorer.numbers import no_attention
from attnviz.ui.explorer.state import LOOK, ExplorerState
from attnviz.ui.frame.choices import find
from attnviz.ui.frame.files import JUST_SAVE
from attnviz.ui.frame.language import code, current, explain, say
from attnviz.ui.frame.loader import loader
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.view import follow
from attnviz.ui.frame.widgets import Widget, segments, select
from attnviz.view.several import pictures

__all__ = ["apply", "parameters", "show"]

MOST = 16  # texts
TEXT_CHARS = 40
MEASURES = ("entropy", "weight", "output")
EFFECT = "effect"
FILE, MIME = "attnviz.csv", "text/csv"

Row = dict[str, Any]

_pictures = st.components.v2.component("attnviz.several", js=loader("several"))


@dataclass
class SeveralState:
    """State of the mode.

    Attributes:
        begun: the texts were given their default.
        head: site and head, such as "encoder.1.self:0"; "" before the first texts were read.
    """

    texts = Widget("several-texts", "")
    head = Widget("several-head", "")
    measure = Widget("several-measure", MEASURES[0])
    token = Widget("several-token", "")
    opened = Widget[dict[str, object]]("several", {})

    begun: bool = False


def apply(link_: Mapping[str, str]) -> None:
    """Set texts, head and measure from an address."""
    SeveralState.texts.value = link_.get("texts", "")
    SeveralState.head.value = link_.get("at", "")
    SeveralState.measure.value = link_.get("measure", MEASURES[0])
    SeveralState.token.value = link_.get("token", "")
    page_state(SeveralState).begun = "texts" in link_


def parameters(key: TraceKey) -> Mapping[str, str]:
    """Return texts, head and measure; the texts begin with the model's examples."""
    state = page_state(SeveralState)
    if not state.begun:
        state.begun = True
        model = find(key.model)
        examples = () if model is None else link.examples_of(model, reads_of_listed(model) or Reads())
        SeveralState.texts.value = "\n".join(" ".join(text.splitlines()) for text, _ in examples)
    measure = SeveralState.measure.value
    return {
        "texts": SeveralState.texts.value,
        "at": SeveralState.head.value,
        "measure": "" if measure == MEASURES[0] else measure,
        "token": SeveralState.token.value if measure == "weight" else "",
    }


def show(key: TraceKey, messages: DeltaGenerator) -> None:
    """Show the fields, the pictures and the table."""
    label = say("several.texts", n=MOST)
    st.text_area(label, height=136, placeholder=say("several.placeholder"), **SeveralState.texts.kept)
    lines = [line.strip() for line in SeveralState.texts.value.splitlines() if line.strip()]
    if not lines:
        messages.info(say("several.none"))
        return
    if len(lines) > MOST:
        messages.warning(say("several.many", n=len(lines), most=MOST))
    keys = [TraceKey(key.model, line, "", key.version, edits=key.edits) for line in lines[:MOST]]
    traces: dict[TraceKey, Trace] = {}
    refused: list[str] = []
    for each in keys:
        try:
            check(each)
            traces[each] = run(each).trace
        except AttnvizError as error:
            refused.append(say("several.refused", text=code(each.text, TEXT_CHARS), reason=explain(error)))
    if refused:
        messages.warning("\n".join(f"- {line}" for line in refused) if refused[1:] else refused[0])
    if traces:
        _show(traces)


def _show(traces: Mapping[TraceKey, Trace]) -> None:
    first_key, first = next(iter(traces.items()))
    with st.container(horizontal=True, key="several-choice", gap="medium", vertical_alignment="bottom"):
        place = _choose_head(first_key, first)
        names = [*(MEASURES if first.sites else MEASURES[-1:]), *([EFFECT] if first_key.edits else [])]
        SeveralState.measure.hold(names, names[0])
        segments(say("several.measure"), SeveralState.measure, {name: say(f"several.measure.{name}") for name in names})
        if SeveralState.measure.value == "weight":
            st.text_input(say("several.token"), width=160, **SeveralState.token.kept)
    if place is not None:
        site, head = place
        st.caption(say("several.pictures"))
        data = pictures([*traces.values()], site, head, current())
        _pictures(
            key=SeveralState.opened.key, data=data, on_open_change=lambda: _open([*traces], first.site(site), head)
        )
    _show_table({key: _measured(key, trace, place) for key, trace in traces.items()})


def _choose_head(key: TraceKey, trace: Trace) -> tuple[str, int] | None:
    """Place the list of heads; the one that tells most of the first text comes first. None: there are no heads."""
    if not trace.sites:
        st.caption(no_attention(trace))
        return None
    titles = {f"{site.name}:{head}": _title(site, head) for site in trace.sites for head in range(site.n_heads)}
    if SeveralState.head.value not in titles:
        far = {name: small.far for name, small in trace.thumbnails.items()}
        telling = most_telling(trace, far, expected_of(key.model, trace))
        SeveralState.head.value = f"{trace.sites[telling.site].name}:{telling.head}"
    site, _, head = select(say("several.head"), SeveralState.head, titles, required=True, width=340).rpartition(":")
    return site, int(head)


def _title(site: AttentionSite, head: int) -> str:
    part = "view.frame.title" if site.part is None else "view.frame.title.part"
    stack = say(f"view.frame.stack.{site.stack}.{site.kind}")
    return say(part, stack=stack, layer=site.layer, head=head, part=site.part)


def _open(keys: Sequence[TraceKey], site: AttentionSite, head: int) -> None:
    """Look at the text whose picture was pressed, at the same head."""
    index = SeveralState.opened.value.get("open")
    if not isinstance(index, int) or not 0 <= index < len(keys):
        return
    ExplorerState.mode.value = LOOK
    link.use(keys[index].text, "")
    place = {"layer": str(site.layer), "stack": site.stack, "kind": site.kind, "head": str(head)}
    follow(place if site.part is None else {**place, "part": str(site.part)}, keys[index].model)


def _measured(key: TraceKey, trace: Trace, place: tuple[str, int] | None) -> Row:
    """Return the chosen measure of one text, by the titles of its columns."""
    measure = SeveralState.measure.value
    row: Row = {say("several.column.text"): visible(key.text), say("several.column.tokens"): len(trace.tokens)}
    if measure == "output":
        return row | _answered(trace)
    if measure == EFFECT:
        return row | _changed(key, trace)
    assert place is not None  # only those two are offered without a head
    site = trace.site(place[0])
    weights = site.weights(place[1])
    if measure == "entropy":
        return row | _of_rows(entropy(weights), trace, site, "entropy")
    token = SeveralState.token.value
    return row | _of_rows(weight_to(weights, trace.sequences[site.keys].labels, token), trace, site, "weight")


def _of_rows(values: Tensor | None, trace: Trace, site: AttentionSite, name: str) -> Row:
    """Return the mean over the queries, the largest, and the query that has it."""
    titles = [say(f"several.column.{name}"), say("several.column.most"), say("several.column.query")]
    if values is None:
        return dict.fromkeys(titles)
    most = int(values.argmax())
    query = f"{visible(trace.sequences[site.queries].labels[most])} (#{most})"
    return dict(zip(titles, (float(values.mean()), float(values[most]), query), strict=True))


def _answered(trace: Trace) -> Row:
    found = answer(trace)
    titles = [say("states.output"), say("several.column.probability")]
    if found is None:
        return dict.fromkeys(titles)
    return dict(zip(titles, (" ".join(map(visible, found.labels)), found.probability), strict=True))


def _changed(key: TraceKey, edited: Trace) -> Row:
    """Return what the edits of the address do to the most probable output of the last position."""
    titles = [say(f"several.column.{name}") for name in ("output", "before", "after", "kl")]
    try:
        found = effect(run(key._replace(edits="")).trace, edited)
    except AttnvizError:  # it ends without probabilities
        return dict.fromkeys(titles)
    values = (visible(found.token), found.probability.before, found.probability.after, found.kl)
    return dict(zip(titles, values, strict=True))


def _show_table(rows: Mapping[TraceKey, Row]) -> None:
    columns = [*next(iter(rows.values()))]
    table = {column: [row[column] for row in rows.values()] for column in columns}
    st.dataframe(table, width="stretch", height="content")
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([columns, *(row.values() for row in rows.values())])
    content = file.getvalue().encode("utf-8-sig")  # spreadsheets read anything else as their own encoding
    st.download_button(say("several.csv"), content, FILE, MIME, on_click=JUST_SAVE, key="several-csv")
