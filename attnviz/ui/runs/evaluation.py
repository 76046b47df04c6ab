"""Evaluation of a fine-tuned run: on its test split, or on a file; and the same sentence before and after training."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attnviz.analysis.scores import Interval, score_text
from attnviz.errors import AttnvizError, DataEncodingUnclear
from attnviz.figures.confusion import confusion
from attnviz.finetuning.evaluation import MOST_WRONG, Report, Wrong
from attnviz.finetuning.judgement import Judgement, csv_files
from attnviz.finetuning.movement import mover
from attnviz.finetuning.reading import TABLES, TAGGED
from attnviz.finetuning.tasks import TunedTags
from attnviz.loading import checkpoint_name
from attnviz.locale import sentences, visible
from attnviz.server.evaluation import MOST_MB, evaluation, read_upload
from attnviz.server.people.rights import offers
from attnviz.tasks.base import Metric
from attnviz.training import Run
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.files import JUST_SAVE, choose_file
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import code, current, explain, plain, say
from attnviz.ui.frame.markdown import table
from attnviz.ui.frame.scores import score_table
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import button, segments
from attnviz.ui.runs.state import Asked, EvaluationState, Uploaded

__all__ = ["before_and_after", "evaluate"]

EVERY = "1s"
FIRST, MORE = 10, 20  # wrong answers that are shown, and that come with a press
CHARS = 240  # of a text that are shown
MIME = "text/csv"
WORDS = 6  # of a sentence whose wrong tags are shown


def before_and_after(run: Run) -> None:
    """Place a link to the Explorer, where attention moved most: a sentence in the base model, and in the tuned one."""
    kept, step = run.checkpoints(), run.best_step()
    if not kept or step is None or step == kept[0]:
        return
    task = run.config.task
    text = next(iter(task.texts()), "")
    names = {"model": checkpoint_name(run, step), "model2": checkpoint_name(run, kept[0])}
    label = say("evaluation.before_after")
    place = {**names, **_moved_most(run, step)}
    link_to("explorer", label, "compare_arrows", mode="compare", text=str(text), side="difference", **place)


def _moved_most(run: Run, step: int) -> dict[str, str]:
    """Return the place in the Explorer of the head that had moved most by a step; {} where none has."""
    try:
        found = mover(run, max((at for at in run.timeline().steps if at <= step), default=None))
    except AttnvizError:  # the run's own view says what its timeline lacks
        return {}
    return {} if found is None else {"layer": found.site.split(".")[1], "head": str(found.head)}


def evaluate(run: Run) -> None:
    """Offer an evaluation, and show the one that was asked for; the run has checkpoints, and nobody trains it."""
    step = run.best_step()
    if step is None:
        return
    state = page_state(EvaluationState)
    with st.container(key="evaluation", gap="small"):
        st.header(say("evaluation.title"), anchor=False)
        _choose(run, state)
        if state.refused:
            st.warning(state.refused)
            state.refused = ""
        asked = Asked(run.name, EvaluationState.source.value)
        if state.asked != asked:
            st.caption(say("evaluation.about", step=f"{step:,}"))
            button(say("evaluation.start"), "evaluate", _ask, asked, icon="play_arrow", type="primary")
            return
        data = state.file.data if asked.source == "file" and state.file is not None else None
        found = _computed(run, step, data)
        if found is None:
            st.fragment(_wait, run_every=EVERY)(run, step, data)
        else:
            _show(run, found)


def _choose(run: Run, state: EvaluationState) -> None:
    """Choose what to judge the run on."""
    sources = {"test": say("evaluation.test")}
    if state.file is not None and state.file.run == run.name:
        sources["file"] = visible(state.file.name, 40)
    EvaluationState.source.hold(sources, "test")
    segments(say("evaluation.source"), EvaluationState.source, sources, label_visibility="collapsed")
    # no popover: on a phone its lower part, with the field for the file, would lie below the screen
    with st.expander(say("evaluation.other"), icon=":material/upload_file:", key="evaluation-other"):
        tags = isinstance(run.config.task, TunedTags)
        part = "tags" if tags else "labels"
        st.caption(say(f"evaluation.other.{part}"))
        with st.container(horizontal=True, gap="small"):
            st.text_input(say(f"evaluation.column.{part}.text"), **EvaluationState.text.kept)
            st.text_input(say(f"evaluation.column.{part}.label"), **EvaluationState.label.kept)
        kinds = [kind.removeprefix(".") for kind in ((*TAGGED, ".txt") if tags else TABLES)]
        label = say("evaluation.file", limit=MOST_MB)
        choose_file(label, kinds, "evaluation-file", MOST_MB, partial(_take, run))


def _take(run: Run, content: bytes, name: str) -> None:
    """Take a file that was handed in, and have the run judged on it."""
    state = page_state(EvaluationState)
    columns = (EvaluationState.text.value.strip(), EvaluationState.label.value.strip())
    try:
        try:
            data = read_upload(run, content, name, *columns)
        except DataEncodingUnclear as error:
            state.refused = explain(error)
            data = read_upload(run, content, name, *columns, error.names[0])
    except AttnvizError as error:
        state.refused = explain(error)
        return
    state.file = Uploaded(run.name, name, data)
    EvaluationState.source.value = "file"
    _ask(Asked(run.name, "file"))


def _ask(asked: Asked) -> None:
    state = page_state(EvaluationState)
    state.asked, state.n_wrong = asked, FIRST


def _computed(run: Run, step: int, data: str | None) -> Judgement | None:
    """Return the evaluation once it is there; where there will be none, the page says why."""
    try:
        return evaluation(run, step, data, page_state(Session).name).get("result")
    except AttnvizError as error:
        state = page_state(EvaluationState)
        state.asked, state.refused = None, explain(error)
        st.rerun()


def _wait(run: Run, step: int, data: str | None) -> None:
    """Say how far the evaluation is; drawn again by itself until it is there."""
    if _computed(run, step, data) is not None:
        st.rerun()
    told = evaluation(run, step, data, page_state(Session).name)
    if told["ahead"]:
        st.progress(0.0, say("evaluation.ahead", n=told["ahead"]))
    else:
        done, total = told["done"], told["total"]
        st.progress(done / max(1, total), say("evaluation.computing", done=f"{done:,}", total=f"{total:,}"))


def _show(run: Run, found: Judgement) -> None:
    report = found.report
    notes = [say("evaluation.counted", n=f"{report.n:,}", step=f"{found.step:,}")]
    if found.left_out:
        notes.append(say("evaluation.left_out", n=f"{found.left_out:,}"))
    if found.seen:
        notes.append(say("evaluation.seen", n=f"{found.seen:,}"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(sentences(notes))
        if offers(me(), "export"):
            with st.popover(say("runs.export"), icon=":material/download:"):
                for name, content in csv_files(found).items():
                    label, file = say(f"evaluation.file.{name}"), f"{found.run}-{name}.csv"
                    st.download_button(label, content, file, MIME, type="tertiary", on_click=JUST_SAVE)
    scores, matrix = st.columns(2, gap="medium")
    with scores:
        st.markdown(_beside(found))
        kind = say("applications.entities.kind") if report.metric == "F1" else say("evaluation.label")
        st.markdown(score_table(report.labels, report.averages, kind))
        st.caption(_meaning(report))
    with matrix:
        st.plotly_chart(confusion(report.names, report.confusion, theme(), current()), key="confusion", **CHART)
    _wrong_ones(run, found)


def _beside(found: Judgement) -> str:
    """Write the score with its interval, and the baselines' below it."""
    metric = found.report.metric
    title = say(f"applications.metric.{metric}")
    scores = [
        (f"**{say('evaluation.this')}**", found.report.score, found.report.interval),
        *(
            (say(f"evaluation.baseline.{each.name.replace(' ', '-')}"), each.score, each.interval)
            for each in found.baselines
        ),
    ]
    rows = [[name, score_text(metric, score), _between(metric, interval)] for name, score, interval in scores]
    return table(["", title[:1].upper() + title[1:], say("evaluation.interval")], rows)


def _between(metric: Metric, interval: Interval) -> str:
    low, high = (score_text(metric, end) for end in interval)
    return say("evaluation.between", low=low, high=high)


def _meaning(report: Report) -> str:
    if report.macro_interval is None:
        return sentences([say("evaluation.entities"), say("evaluation.intervals")])
    macro = say("evaluation.macro", between=_between("F1", report.macro_interval))
    return sentences([macro, say("evaluation.intervals")])


def _wrong_ones(run: Run, found: Judgement) -> None:
    """List the wrong answers, the surest first; each opens in the Explorer."""
    wrong, state = found.report.wrong, page_state(EvaluationState)
    if not wrong:
        st.success(say("evaluation.none_wrong"))
        return
    st.subheader(say("evaluation.wrong"), anchor=False)
    shown = min(len(wrong), max(state.n_wrong, FIRST))
    more = "+" if len(wrong) == MOST_WRONG else ""
    st.caption(say("evaluation.wrong.about", shown=shown, n=f"{len(wrong)}{more}"))
    with st.container(key="wrong", gap="xsmall"):
        for each in wrong[:shown]:
            with st.container(gap=None):
                model = checkpoint_name(run, found.step)
                link_to("explorer", plain(visible(each.text, CHARS)), model=model, text=each.read)
                st.caption(_said(each))
    if shown < len(wrong):
        button(say("evaluation.more"), "more-wrong", _show_more, icon="expand_more")


def _said(wrong: Wrong) -> str:
    """Say what is right and what was answered."""
    sure = f"{wrong.sure:.0%}"
    if not wrong.words:
        return say("evaluation.said_label", said=code(wrong.said[0]), true=code(wrong.true[0]), sure=sure)
    parts = [
        say("evaluation.said_tag", word=code(word), said=code(said), true=code(true))
        for word, true, said in zip(wrong.words, wrong.true, wrong.said, strict=True)
    ]
    rest = len(parts) - WORDS
    return " · ".join(parts[:WORDS]) + ("" if rest <= 0 else say("evaluation.more_words", n=rest))


def _show_more() -> None:
    page_state(EvaluationState).n_wrong += MORE
