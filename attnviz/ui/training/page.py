"""The Training page: a task, a model, Play; the run it makes is watched beside the controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError, DataUnclear
from attnviz.finetuning.plan import Plan
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.cost import flops_per_step, n_parameters
from attnviz.models.tuned_config import TunedConfig
from attnviz.server import workers
from attnviz.server.people.rights import check_start, offers
from attnviz.server.shelf import is_own, twin, unused_seed
from attnviz.training import Run, RunConfig, new_run
from attnviz.training.engine.estimate import as_trained, seconds_per_step
from attnviz.training.engine.memory import check_memory, is_large
from attnviz.training.recipes import OWN
from attnviz.training.run.files import writing
from attnviz.ui.frame.address import Address, notice, notice_error, notice_wrong
from attnviz.ui.frame.choices import entries, find, find_run
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import code, explain, say
from attnviz.ui.frame.numbers import duration, short
from attnviz.ui.frame.page_file import offer, take
from attnviz.ui.frame.receptive import sees
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.texts import written_texts
from attnviz.ui.frame.watch import PLACE, notice_place, prepare, watch
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import button
from attnviz.ui.training import controls, tuning_controls
from attnviz.ui.training.draft import SETTINGS, Draft
from attnviz.ui.training.example import below_each_other, worked_example
from attnviz.ui.training.own_data import own_notes
from attnviz.ui.training.state import TrainingState, TuningState
from attnviz.ui.training.sweep import several_settings
from attnviz.ui.training.tuning import FINE_TUNE, Tuning
from attnviz.ui.training.tuning_said import say_plan, usual
from attnviz.ui.training.varied import of_draft, of_tuning

__all__ = ["show"]

SUGGESTED = ("induction", "reverse", "modular")


def _apply(link: Mapping[str, str]) -> None:
    """Set controls and run from an address; what it names and does not exist is noticed and falls back."""
    run = None
    if link.get("run"):
        try:
            run = find_run(link["run"])
            notice_place(run, link)
        except AttnvizError as error:
            notice_error(error)
    state = page_state(TrainingState)
    is_here = run is not None and run.name == state.watched
    state.watched, state.joined = run.name if run is not None else "", ""
    tunes = run is not None and isinstance(run.config.model, TunedConfig)
    if link.get("recipe") == FINE_TUNE or (tunes and "recipe" not in link):
        _apply_tuning(link, run if tunes else None, is_here)
        return
    made_of = Draft.of_run(run.config) if run is not None else None
    if made_of is not None and "recipe" not in link:
        controls.load(made_of)
        return
    draft, wrong = Draft.of_link(link)
    notice_wrong(wrong)
    if draft.text and draft.text == TrainingState.data(draft.recipe).value:
        draft = replace(draft, text="")  # it stays, with its files and with how it is read
    elif made_of is not None and made_of.recipe == draft.recipe and not (draft.text or is_here):  # too long for one
        reading = draft.reading if link.get("reading") else made_of.reading
        draft = replace(draft, text=made_of.text, files=made_of.files, reading=reading)
    controls.load(draft)


def _apply_tuning(link: Mapping[str, str], run: Run | None, is_here: bool) -> None:
    """Set the form for fine-tuning from an address, or from a run where the address says nothing of it.

    Args:
        run: the one of the address, if it is a fine-tuning.
        is_here: it is on the page already, beside what was handed in since.
    """
    if "recipe" not in link and run is not None:
        tuning_controls.load(Tuning.of_run(run.config))
        return
    tuning, wrong = Tuning.of_link(link)
    notice_wrong(wrong)
    if tuning.base and find(tuning.base) is None:
        notice("tuning.unknown_base", name=tuning.base)
        tuning = replace(tuning, base="")
    told, held = tuning.files.get("train"), page_state(TuningState).files
    if told is not None and "train" in held and told.table == held["train"].table:
        tuning = replace(tuning, files=held)
    elif run is not None and told is None and not (is_here and held):  # too long for an address
        tuning = replace(tuning, files=Tuning.of_run(run.config).files)
    tuning_controls.load(tuning)


ADDRESS = Address(
    "training",
    _apply,
    names=frozenset({"run", "recipe", "text", "task", "reading", "base", "tune", "probe", *SETTINGS}),
    steps=frozenset({"run", "recipe"}),
    view=PLACE,
    long=frozenset({"text", "probe"}),
)


def show() -> None:
    """Show controls at the left, the run at the right; on a phone below each other."""
    ADDRESS.arrive()
    with st.container(key="controls"), head_row():
        st.space("stretch")
        take(ADDRESS)
    messages = message_box()
    with st.container(horizontal=True, key="training", gap="medium"):
        with st.container(key="settings", width=320, gap="small"):
            form = _controls()
        with st.container(key="watched", width="stretch"):
            run = _watched(messages)
            if run is None:
                _teach()
                prepare()
            else:
                watch(run, messages, follow=True, replay=page_state(TrainingState).joins)
                written_texts(run)
    parameters = {**form.to_link(), "run": run.name if run is not None else ""}
    offer(messages, ADDRESS, parameters)
    ADDRESS.publish(parameters)


def _present() -> Draft | Tuning:
    """Return the form as the controls stand."""
    return tuning_controls.present() if TrainingState.what.value == FINE_TUNE else controls.present()


def _controls() -> Draft | Tuning:
    if controls.choose_what():
        return _tuning_controls()
    controls.choose_task()
    draft = controls.present()
    config: RunConfig | None = None
    problem: AttnvizError | None = None
    try:
        config = draft.config()
        check_memory(config.model, config.training.batch_size, config.task)
    except AttnvizError as error:
        problem = error
    if config is not None:
        _example(config)
    refusal = _refusal(config)
    joined = _play_button(config, problem or refusal)
    with st.container(key="before", gap="xsmall"):
        if problem is None and config is not None:
            if joined is not None:
                _offer_another(joined)
            own_notes(config.task)
            _facts(config)
            _say_refusal(refusal)
        elif draft.recipe in OWN and not draft.text.strip():
            st.info(say(f"training.bring.{draft.recipe}"))
        elif problem is not None:
            _say_problem(problem)
        _say_link(is_told=not draft.files)
    controls.choose_settings(draft)
    if offers(me(), "train"):
        several_settings(of_draft(draft), None if problem else config)
    return draft


def _tuning_controls() -> Tuning:
    tuning_controls.choose_base_and_data()
    tuning_controls.choose_method()
    tuning = tuning_controls.present()
    plan: Plan | None = None
    problem: AttnvizError | None = None
    if not tuning.lacks:
        try:
            with st.spinner(say("tuning.measuring")):
                plan = tuning.plan()
        except AttnvizError as error:
            problem = error
    config = None if plan is None else plan.config
    refusal = _refusal(config)
    joined = _play_button(config, problem or refusal)
    with st.container(key="before", gap="xsmall"):
        if tuning.lacks:
            st.info(say(f"tuning.bring.{tuning.lacks}"))
        elif problem is not None:
            _say_problem(problem)
        elif plan is not None:
            if joined is not None:
                _offer_another(joined)
            say_plan(plan)
            _queue_facts(plan.config, plan.seconds)
            _say_refusal(refusal)
        _say_link(is_told=not tuning.files or bool(tuning.to_link()["text"]))
    tuning_controls.choose_settings({} if plan is None else usual(plan))
    if plan is not None and offers(me(), "train"):
        several_settings(of_tuning(plan), plan.config)
    return tuning


def _say_link(*, is_told: bool) -> None:
    """Say that the address does not hold the data, where no run on the page holds them."""
    if not is_told and not page_state(TrainingState).watched:
        st.caption(say("training.not_in_link"))


def _refusal(config: RunConfig | None) -> AttnvizError | None:
    """Return why the person may not start a run that nobody has trained yet; None: may."""
    if config is None:
        return None
    try:
        check_start(me(), [config])
    except AttnvizError as error:
        return error if twin(config, entries()) is None else None
    return None


def _say_refusal(refusal: AttnvizError | None) -> None:
    if refusal is not None:
        st.warning(explain(refusal))


def _play_button(config: RunConfig | None, problem: AttnvizError | None) -> Run | None:
    """Show Play; return the run that it showed in place of a new one, if any."""
    is_wrong = config is None or problem is not None or not offers(me(), "train")
    joined = None if config is None else _joined(config)
    # while a run is under way, its own Pause and Resume are what is pressed next
    kind = "secondary" if joined is not None or _is_active() else "primary"
    button(say("training.play"), "play", _play, icon="play_arrow", type=kind, width="stretch", disabled=is_wrong)
    return joined


def _say_problem(problem: AttnvizError) -> None:
    if not isinstance(problem, DataUnclear):  # that one is asked beside the data
        st.warning(explain(problem))


def _example(config: RunConfig) -> None:
    """Show one sequence of the task."""
    lines = {say(f"training.example.{name}"): line for name, line in worked_example(config.task).items()}
    st.container(key="example").code(below_each_other(lines), language=None)


def _facts(config: RunConfig) -> None:
    """Show what the run will take: parameters, operations, time; and the runs before it or beside it."""
    model, training = config.model, config.training
    trained = as_trained(model, config.task)
    seconds = training.steps * seconds_per_step(trained, training.batch_size)
    st.caption(
        say(
            "training.facts",
            parameters=f"{n_parameters(model):,}",
            flops=short(flops_per_step(trained, training.batch_size)),
            time=duration(seconds),
        )
    )
    if isinstance(trained, ConvolutionalConfig):
        st.caption(sees(trained))
    _queue_facts(config, seconds)


def _queue_facts(config: RunConfig, seconds: float) -> None:
    """Show the runs before a run or beside it."""
    queue = workers.queue()
    ahead = queue.ahead(is_large(config.model, config.training.batch_size, config.task))
    cores, runs = queue.shared()
    if ahead:
        st.caption(say("training.ahead", n=ahead))
    elif runs:
        shared = duration(seconds * max(1, (runs + 1) / cores))
        st.caption(say("training.shared", n=runs, time=shared))


def _play() -> None:
    """Train what the controls say, or show the run that does or did."""
    state = page_state(TrainingState)
    try:
        config = _present().config()
        found = twin(config, entries())
        if found is None:
            _train(config)
            return
        state.watched = state.joined = found.name
        state.joins += 1
    except AttnvizError as error:
        notice_error(error)


def _again() -> None:
    """Train once more, with a seed that nobody has used; a double click does it once."""
    state = page_state(TrainingState)
    if state.joined != state.watched:
        return
    try:
        form = _present()
        seed = TuningState.setting("seed") if isinstance(form, Tuning) else TrainingState.setting("seed")
        seed.value = unused_seed(form.config())
        _train(_present().config())
    except AttnvizError as error:
        notice_error(error)


def _train(config: RunConfig) -> None:
    """Make a run, and queue it; what forbids it passes through."""
    state = page_state(TrainingState)
    check_start(me(), [config])
    run = new_run(config, owner=me().id)
    state.watched, state.joined = run.name, ""
    with writing(run.name):
        workers.queue().submit(run)


def _joined(config: RunConfig) -> Run | None:
    """Return the run that Play showed in place of a new one, while the settings are still the same."""
    state = page_state(TrainingState)
    if not state.joined or state.joined != state.watched:
        return None
    try:
        run = find_run(state.joined)
        run.state()
    except AttnvizError:  # deleted or damaged
        return None
    return run if run.config.digest == config.digest else None


def _offer_another(run: Run) -> None:
    """Say that a run computes what the controls say, and offer to train it with another seed."""
    case = "active" if run.state().active else "done" if is_own(run) else "recorded"
    st.caption(say(f"training.joined.{case}", name=code(run.name, 100)))
    button(say("training.again"), "again", _again, icon="replay", type="primary", width="stretch")


def _is_active() -> bool:
    """Whether the run on the page can be paused or resumed."""
    state = page_state(TrainingState)
    try:
        return bool(state.watched) and find_run(state.watched).state().state != "done"
    except AttnvizError:  # deleted or damaged
        return False


def _watched(messages: DeltaGenerator) -> Run | None:
    """Return the run on the page, if there is one."""
    state = page_state(TrainingState)
    if not state.watched:
        return None
    try:
        run = find_run(state.watched)
        run.state()
    except AttnvizError as error:
        messages.error(explain(error))
        state.watched = ""
        return None
    return run


def _teach() -> None:
    """Explain the page, and offer three ways to begin."""
    with st.container(key="teach"):
        if TrainingState.what.value == FINE_TUNE:
            st.header(say("tuning.teach.title"), anchor=False)
            st.markdown(say("tuning.teach.text"))
            return
        st.header(say("training.teach.title"), anchor=False)
        st.markdown(say("training.teach.text"))
        with st.container(horizontal=True, gap="small"):
            for recipe in SUGGESTED:
                button(say(f"training.teach.{recipe}"), f"suggest-{recipe}", _begin, recipe, icon="play_arrow")


def _begin(recipe: str) -> None:
    controls.load(Draft.of_recipe(recipe))
    _play()
