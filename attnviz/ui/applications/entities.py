"""Named entities: what every word is taken for, how well each kind is found, and what a word's tag was read from."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle

import streamlit as st
import torch

from attnviz.analysis.ablation import Without, without_heads
from attnviz.analysis.entities import EntityReport, entity_report
from attnviz.analysis.scores import rounded
from attnviz.server.listing import Listed
from attnviz.tasks import IGNORE
from attnviz.training.engine.gradients import forward
from attnviz.ui.applications.case import Case, Judged, choose_head, head_scores, judged, judged_on, opened, task_of
from attnviz.ui.applications.reading import reading
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.charts import theme
from attnviz.ui.frame.language import say
from attnviz.ui.frame.markdown import table
from attnviz.ui.frame.scores import score_table

__all__ = ["chips", "view"]

OUTSIDE = "O"


def view(case: Case) -> None:
    """Show words coloured by kind, the scores of each kind, and the attention of a head from a word that is chosen."""
    true = None
    if case.row is not None:
        targets = case.row.targets[0].tolist()
        true = [OUTSIDE if index == IGNORE else case.model.output_label(index) for index in targets]
    st.caption(say("applications.entities.words" if true is None else "applications.entities.words_right"))
    strip(chips(case, true), label=say("applications.entities.title"))
    report = _report(case.listed)
    _scores(report, judged(case.listed))
    if not case.trace.sites:
        st.info(say("applications.no_attention"))
        return
    site, head = choose_head(case, kind="self")
    reading(case, site, head)
    _heads(case.listed)


def chips(case: Case, true: list[str] | None = None) -> list[Chip]:
    """Colour words by the kind of their tags; those that are wrong are marked, where the true ones are known."""
    predicted = [case.model.output_label(index) for index in case.trace.logits.argmax(-1).tolist()]
    kinds = sorted({label.split("-", 1)[1] for label in case.task.labels if "-" in label})
    colours = dict(zip(kinds, cycle(theme().lines), strict=False))
    found = []
    specials = case.trace.sequences[case.trace.main].specials  # they have no tag
    for place, (token, tag) in enumerate(zip(case.tokens, predicted, strict=True)):
        if place in specials:
            continue
        right = tag if true is None else true[place]
        colour = "" if tag == OUTSIDE else colours[tag.split("-", 1)[1]]
        below = right if right != tag else ""
        found.append(Chip(token, colour=colour, above="" if tag == OUTSIDE else tag, below=below, wrong=right != tag))
    return found


def _scores(report: EntityReport, figure: Judged) -> None:
    """Precision, recall, F1 and support of each kind, and the averages."""
    st.markdown(score_table(report.types, report.averages, say("applications.entities.kind")))
    st.caption(say("applications.entities.counted", n=f"{figure.n:,}"))


def _heads(listed: Listed) -> None:
    """Show how much each head attends to the verb of a subject, and the F1 left without the head."""
    with st.spinner(say("applications.entities.taking_away"), show_time=True):
        whole, rest = judged(listed), _without(listed)
    masses = {(score.site, score.head): score for score in head_scores(listed)}
    columns = [say(f"applications.entities.{name}") for name in ("head", "mass", "without", "lost")]
    rows = []
    for each in rest:
        layer = each.site.split(".")[1]
        title = say("applications.head.encoder.self", layer=layer, head=each.head)
        score = masses.get((each.site, each.head))
        mass = "–" if score is None else f"{score.mass:.0%}"
        lost = f"{max(0.0, whole.score - each.score):.3f}"
        rows.append([title, mass, rounded(each.score), lost])
    st.markdown(table(columns, rows))
    chance = next((f"{score.chance:.0%}" for score in masses.values()), "–")
    st.caption(say("applications.entities.ablation", n=f"{whole.n:,}", chance=chance))


@lru_cache(16)
def _without(listed: Listed) -> tuple[Without, ...]:
    """Compute the F1 without each head, on the sequences that the model is judged on."""
    return without_heads(opened(listed).network, task_of(listed), *judged_on(listed))


@lru_cache(16)
@torch.inference_mode()
def _report(listed: Listed) -> EntityReport:
    """Score the entities on held-out test data."""
    task, network = task_of(listed), opened(listed).network.eval()
    tags: tuple[list[list[str]], list[list[str]]] = ([], [])
    for batch in task.batches(*judged_on(listed)):
        answers = forward(network, batch).argmax(-1)  # (B, T)
        for row in range(len(answers)):
            scored = batch.targets[row] != IGNORE
            for found, ids in zip(tags, (batch.targets, answers), strict=True):
                found.append([task.labels[index] for index in ids[row][scored].tolist()])
    return entity_report(*tags)
