"""Write: the model writes on step by step; what could have come, and what every head read for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError, DoesNotWrite, PlanMisfit, WritesNumbers
from attnviz.server.forward import MOST_NEW, has_template, run
from attnviz.server.learned import check
from attnviz.server.traces import Held, TraceKey
from attnviz.ui.explorer.inputs import reads_of_listed
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.choices import find
from attnviz.ui.frame.language import code, current, explain, say
from attnviz.ui.frame.loader import loader
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.view import show_view
from attnviz.ui.frame.widgets import Widget, segments
from attnviz.view.texts import address
from attnviz.writing import MOST_BEAMS, Plan, Written, values_of

__all__ = ["apply", "parameters", "show"]

STRATEGIES = ("greedy", "sample", "beam")
TEMPERATURE = (0.05, 3.0)
MORE = 20  # tokens that one press of "write more" adds
KEY = "writing"

_write = st.components.v2.component("attnviz.write", js=loader("write"))


@dataclass
class WriteState:
    """State of the mode.

    Attributes:
        begin: the beginning of the target, of an encoder-decoder.
        taken: ids of the tokens that the text begins with.
        of: model, text, beginning and template that they belong to; None: those that come next.
        tokens: ids of the text that is shown.
    """

    strategy = Widget("write-strategy", "greedy")
    temperature = Widget("write-temperature", 0.8)
    top_k = Widget[int | None]("write-top-k", None)
    top_p = Widget("write-top-p", 0.95)
    beams = Widget("write-beams", 4)
    seed = Widget("write-seed", 0)
    max_new = Widget("write-max-new", 20)
    template = Widget("write-template", True)
    begin = Widget("write-begin", "")
    told = Widget[Mapping[str, Any]](KEY, {})

    taken: tuple[int, ...] = ()
    of: tuple[str, ...] | None = None
    tokens: tuple[int, ...] = ()


def apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address."""
    try:
        plan = Plan.read(link["write"]) if "write" in link else Plan()
    except PlanMisfit as error:
        notice_error(error)
        plan = Plan()
    WriteState.strategy.value = plan.strategy
    WriteState.max_new.value = min(plan.max_new, MOST_NEW)
    WriteState.template.value = plan.template
    WriteState.begin.value = link.get("begin", "")
    if plan.strategy == "sample":
        low, high = TEMPERATURE
        WriteState.temperature.value = min(max(plan.temperature, low), high)
        WriteState.top_k.value = plan.top_k
        WriteState.top_p.value = max(0.01, plan.top_p or 1.0)
        WriteState.seed.value = plan.seed
    if plan.strategy == "beam":
        WriteState.beams.value = plan.beams
    state = page_state(WriteState)
    state.taken, state.of = plan.taken[: WriteState.max_new.value], None


def parameters(key: TraceKey) -> Mapping[str, str]:
    """Return the plan, and how the target begins."""
    for widget in (WriteState.strategy, WriteState.max_new, WriteState.template, WriteState.begin):
        widget.value = widget.value
    state, begin = page_state(WriteState), WriteState.begin
    if not _takes_target(key) or (state.of and state.of[0] != key.model):
        begin.value = ""
    of = (key.model, key.text, begin.value, str(WriteState.template.value))
    if state.of not in (None, of):
        state.taken = ()
    state.of = of
    return {"write": _plan().text, "begin": begin.value}


def _takes_target(key: TraceKey) -> bool:
    model = find(key.model)
    reads = None if model is None else reads_of_listed(model)
    return reads is not None and reads.second == "target"


def show(key: TraceKey, messages: DeltaGenerator) -> None:
    """Show the controls, the text step by step, and the picture of every head of each token."""
    controls = st.container(key="write-settings")
    asked = key._replace(write=_plan().text, target=WriteState.begin.value)
    held: Held | None = None
    try:
        check(asked)
        held = run(asked)
    except (DoesNotWrite, WritesNumbers) as error:  # no setting changes that
        messages.warning(explain(error))
        return
    except AttnvizError as error:
        messages.warning(explain(error))
    with controls:
        _controls(key)
    if held is None:
        return
    written = cast(Written, held.trace)
    state = page_state(WriteState)
    state.tokens = tuple(step.token for step in written.steps)
    if written.templated:
        messages.caption(say("write.prompt"))
        messages.code(written.prompt, language=None)
    if written.doubled:
        messages.warning(say("write.doubled", token=code(written.doubled)))
    if written.unreached:
        messages.caption(say("write.unreached", edits=[*map(code, written.unreached)]))
    payload = {**values_of(written), "before": list(written.tokens[: written.first + 1]), "first": written.first}
    payload |= {"strategy": written.plan.strategy, "taken": len(state.taken), "lang": current()}
    more = not written.ended and len(written.steps) == written.plan.max_new < MOST_NEW
    payload |= {"texts": address(current()), "main": written.main, "id": held.id, "more": more}
    payload["hasHeads"] = bool(written.sites)
    with st.container(key="writing-box"):
        _write(key=KEY, data=payload, on_take_change=_take, on_more_change=_more, on_anew_change=_anew)
    if written.sites:
        show_view(asked, held, current(), messages)


def _plan() -> Plan:
    """Return the plan that the controls say."""
    strategy, settings = WriteState.strategy.value, dict[str, Any]()
    if strategy == "sample":
        top_p = round(WriteState.top_p.value, 3)
        settings = {"temperature": round(WriteState.temperature.value, 3), "top_k": WriteState.top_k.value}
        settings |= {"top_p": None if top_p >= 1 else top_p, "seed": WriteState.seed.value}
    if strategy == "beam":
        settings = {"beams": WriteState.beams.value}
    taken, most = page_state(WriteState).taken, WriteState.max_new.value
    return Plan(cast(Any, strategy), max_new=most, taken=taken[:most], template=WriteState.template.value, **settings)


def _controls(key: TraceKey) -> None:
    with st.container(horizontal=True, key="write-controls", gap="small", vertical_alignment="bottom"):
        if _takes_target(key):
            hint, help_ = say("write.begin.placeholder"), say("write.begin.help")
            st.text_input(say("write.begin"), placeholder=hint, help=help_, width=220, **WriteState.begin.kept)
        titles = {name: say(f"write.strategy.{name}") for name in STRATEGIES}
        segments(say("write.strategy"), WriteState.strategy, titles, help=say("write.strategy.help"))
        if WriteState.strategy.value == "sample":
            _slider("temperature", WriteState.temperature, *TEMPERATURE, 0.05)
            _slider("top_p", WriteState.top_p, 0.01, 1.0, 0.01)
            _number("top_k", WriteState.top_k, 1, 2**31 - 1, placeholder=say("write.all"))
            _number("seed", WriteState.seed, 0, 2**53 - 1)
        elif WriteState.strategy.value == "beam":
            _slider("beams", WriteState.beams, 2, MOST_BEAMS, 1)
        _slider("max_new", WriteState.max_new, 1, MOST_NEW, 1)
        try:
            if has_template(key):
                st.toggle(say("write.template"), help=say("write.template.help"), **WriteState.template.kept)
        except AttnvizError:  # the message says why
            return


def _slider(name: str, widget: Widget[Any], low: float, high: float, step: float) -> None:
    widget.value = widget.value
    st.slider(say(f"write.{name}"), low, high, step=step, help=say(f"write.{name}.help"), width=150, **widget.kept)


def _number(name: str, widget: Widget[Any], low: int, high: int, **more: Any) -> None:
    widget.value = widget.value
    help_ = say(f"write.{name}.help")
    st.number_input(say(f"write.{name}"), low, high, step=1, help=help_, width=110, **more, **widget.kept)


def _take() -> None:
    """Go back to a step and take another token there."""
    told, state = WriteState.told.value.get("take"), page_state(WriteState)
    step, token = (told.get("step"), told.get("token")) if isinstance(told, dict) else (None, None)
    if type(step) is int and type(token) is int and 0 <= step < len(state.tokens) and 0 <= token < 2**31:
        state.taken = (*state.tokens[:step], token)


def _more() -> None:
    WriteState.max_new.value = min(MOST_NEW, WriteState.max_new.value + MORE)


def _anew() -> None:
    page_state(WriteState).taken = ()
