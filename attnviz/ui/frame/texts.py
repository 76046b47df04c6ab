"""The texts that a run writes of held-out sources: their scores, and all of them, the worst first."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import streamlit as st

from attnviz.analysis.pair_report import PairReport, held_out_pairs, pair_report
from attnviz.errors import AttnvizError
from attnviz.locale import sentences, visible
from attnviz.training import Run
from attnviz.ui.frame.choices import find_run
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import explain, say
from attnviz.ui.frame.markdown import table

__all__ = ["written_texts"]

RERUN: Literal["rerun"] = "rerun"  # when it is opened
N_SCORED = 256
SEED = 20_011  # of the test sequences that are drawn, as on the Applications page
MOST_SHOWN = 200
LONGEST = 300  # characters of a text in the list


def written_texts(run: Run) -> None:
    """Offer the scores of the texts that a run writes, where it reads a source and has a checkpoint."""
    if run.config.task.architecture != "encoder-decoder":
        return
    with st.expander(say("texts.title"), key="texts", on_change=RERUN) as part:
        if not part.open:
            return
        try:
            step = run.best_step()
            if step is None:
                st.info(say("texts.none"))
                return
            with st.spinner(say("texts.writing"), show_time=True):
                found = _report(run.name, run.config.digest, step)
        except AttnvizError as error:
            st.error(explain(error))
            return
        _scores(found, step)
        _answers(found)
        link_to("applications", say("texts.alignment"), "grid_on", app="translation", model=f"run/{run.name}@{step}")


@lru_cache(16)
def _report(name: str, digest: str, step: int) -> PairReport:
    run = find_run(name)
    return pair_report(run.config.task, run.network(step), held_out_pairs(run.config.task, N_SCORED, SEED))


def _scores(found: PairReport, step: int) -> None:
    scores = found.scores
    rows = [[say("texts.exact"), f"{scores.exact:.1%}"]]
    if found.unknown:
        rows.append([say("texts.exact.plain"), f"{found.exact:.1%}"])
    rows.append(["chrF", f"{scores.chrf:.1f}"])
    if scores.bleu is not None:
        rows.append(["BLEU", f"{scores.bleu:.1f}"])
    rows += [[say(f"texts.{name}"), f"{value:.3f}"] for name, value in scores.rouge.items()]
    st.markdown(table([say("texts.score", step=f"{step:,}"), say("texts.on", n=f"{scores.n:,}")], rows))
    notes = [say("texts.how"), *([say("texts.copied", n=f"{found.unknown:,}")] if found.unknown else [])]
    notes += [say("texts.no_bleu")] if scores.bleu is None else []
    st.caption(sentences(notes), help="\n\n".join(f"`{signature}`" for signature in scores.signatures))


def _answers(found: PairReport) -> None:
    rows = found.answers[:MOST_SHOWN]
    columns = {"source": "source", "target": "target", "written": "written"}
    shown = {
        say(f"texts.{name}"): [visible(getattr(row, field), LONGEST) for row in rows] for name, field in columns.items()
    }
    st.dataframe(
        {**shown, "chrF": [row.chrf for row in rows]},
        hide_index=True,
        height=300 if len(rows) > 8 else "content",
        column_config={"chrF": st.column_config.NumberColumn("chrF", format="%.0f", width="small")},
    )
