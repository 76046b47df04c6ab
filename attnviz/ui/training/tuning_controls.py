"""The form of the Training page for fine-tuning: a base model, data, what is trained and how."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from attnviz.downloads import downloads_are_on
from attnviz.errors import AttnvizError
from attnviz.finetuning.reading import TABLES, TAGGED
from attnviz.server.tuning import can_begin_with
from attnviz.tasks.base import Split
from attnviz.tasks.own.readers.workbooks import WORKBOOKS
from attnviz.ui.frame.address import notice
from attnviz.ui.frame.choices import find, hub_name, openable
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import current, explain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.titles import full_title
from attnviz.ui.frame.widgets import segments, select
from attnviz.ui.training.draft import HELD, File
from attnviz.ui.training.own_data import file_of, forget, reading, said, split_file
from attnviz.ui.training.state import TrainingState, TuningState
from attnviz.ui.training.tuning import (
    BATCHES,
    FINE_TUNE,
    FORM,
    LAST,
    METHOD_NAMES,
    MOST_BYTES,
    SHARE,
    Tuning,
    recipe_of,
    usual_reading,
)

__all__ = ["choose_base_and_data", "choose_method", "choose_settings", "load", "present"]

LORA = "lora"
MOST_MB = MOST_BYTES // 2**20
KINDS = [kind.removeprefix(".") for kind in (*TABLES, *TAGGED)]


def load(tuning: Tuning) -> None:
    """Set all controls, and show the form."""
    TrainingState.what.value = FINE_TUNE
    _fill(tuning)


def _fill(tuning: Tuning) -> None:
    page_state(TuningState).is_filled = True
    TuningState.base.value = tuning.base
    for name in (*FORM, "probe"):
        TuningState.setting(name).value = getattr(tuning, name)
    if tuning.files or not page_state(TuningState).files:  # else what was handed in stays, and how it is read
        page_state(TuningState).files = dict(tuning.files)
        _forget()
        if "train" in tuning.files:
            _read_as(usual_reading(tuning.files["train"]) if not tuning.tags else {})
    for choice, value in tuning.reading:
        if value not in (0, "auto"):
            TrainingState.choice(_key(tuning.tags), choice).value = value


def present() -> Tuning:
    """Return the form as the controls stand."""
    values: dict[str, Any] = {name: TuningState.setting(name).value for name in (*FORM, "probe")}
    recipe, key = recipe_of(values["tags"]), _key(values["tags"])
    return Tuning(
        base=TuningState.base.value, files=dict(page_state(TuningState).files), reading=said(recipe, key), **values
    )


def _key(tags: bool) -> str:
    """Return what the controls of how data are read are named by."""
    return f"{FINE_TUNE}-{recipe_of(tags)}"


def _forget() -> None:
    for tags in (False, True):
        forget(recipe_of(tags), _key(tags))


def _read_as(told: Mapping[str, Any]) -> None:
    """Set how a table of texts is read."""
    for name, value in told.items():
        TrainingState.choice(_key(False), name).value = value


def choose_base_and_data() -> None:
    """Choose a base model, and take the data."""
    if not page_state(TuningState).is_filled:
        _fill(Tuning())
    _choose_base()
    kinds = {False: say("tuning.tags.labels"), True: say("tuning.tags.tags")}
    segments(say("tuning.tags"), TuningState.setting("tags"), kinds)
    _choose_data("train")


def _choose_base() -> None:
    models = {model.name: model for model in openable() if can_begin_with(model)}
    chosen = find(TuningState.base.value) if TuningState.base.value else None
    if chosen is not None and can_begin_with(chosen):
        models.setdefault(chosen.name, chosen)
    if models:
        TuningState.base.hold(models, next(iter(models)))
        titles = {name: full_title(model, current()) for name, model in models.items()}
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            select(say("tuning.base"), TuningState.base, titles, help=say("tuning.base.help"))
            link_to("models", say("tuning.upload"), "upload")
    else:
        TuningState.base.value = ""
        st.caption(say("tuning.no_base"))
        link_to("models", say("tuning.upload_base"), "upload")
    if downloads_are_on():
        label = say("models.hub")
        st.text_input(label, key=TuningState.hub.key, placeholder=say("models.hub_placeholder"), on_change=_from_hub)


def _from_hub() -> None:
    text = TuningState.hub.value
    name = hub_name(text)
    if name is None:
        notice("models.no_id", name=text)
    else:
        TuningState.base.value = name
    TuningState.hub.value = ""


def _choose_data(split: Split) -> None:
    """Take the file of a split; of the one to train on, show how it is read."""
    files = page_state(TuningState).files
    split_file(split, "tune", files, KINDS, MOST_MB, TuningState.encoding(split), partial(_take, split))
    file = files.get(split)
    if file is None:
        return
    tags = TuningState.setting("tags").value
    if split == "train":
        told = () if tags else tuple(usual_reading(file))  # the names of the columns tell how the table is read
        hidden = {"separator", "header"} & {*told, *(("separator",) if _is_workbook(file) else ())}
        reading(recipe_of(tags), file.table, _key(tags), hidden)
    else:
        _say_if_unread(split)


def _say_if_unread(split: Split) -> None:
    """Say beside a file of its own that it cannot be read like the one to train on, where that one can."""
    form = present()
    if "train" not in form.files:
        return
    try:
        form.content("train")
    except AttnvizError:  # the page says so above
        return
    try:
        form.content(split)
    except AttnvizError as error:
        st.warning(explain(error))


def _is_workbook(file: File) -> bool:
    return Path(file.name).suffix.lower() in WORKBOOKS


def _take(split: Split, content: bytes, name: str, encoding: str = "") -> None:
    """Keep a file."""
    kind = Path(name).suffix.lower()
    file = file_of(content, name, encoding, MOST_BYTES, TuningState.encoding(split))
    page_state(TuningState).files[split] = file
    if split == "train":
        TuningState.setting("tags").value = tags = kind in TAGGED or (
            TuningState.setting("tags").value and kind not in (".csv", ".jsonl", *WORKBOOKS)
        )
        _forget()
        _read_as({} if tags else usual_reading(file))


def choose_method() -> None:
    """Choose what is trained."""
    method = TuningState.setting("method")
    is_there = find_spec("peft") is not None or method.value == LORA
    titles = {name: say(f"tuning.method.{name}") for name in METHOD_NAMES if name != LORA or is_there}
    select(say("tuning.method"), method, titles, help=say("tuning.method.help"))
    if method.value == LAST:
        st.number_input(say("tuning.layers"), 1, 999, step=1, **TuningState.setting("layers").kept)


def choose_settings(usual: Mapping[str, Any]) -> None:
    """Show how the data are divided, what is watched and how it is trained, each in a part that opens.

    Args:
        usual: number of steps, learning rate and tokens where none are chosen; empty while they are not known.
    """
    with st.container(key="parts", gap="xsmall"):
        with st.expander(say("tuning.part.split"), key="part-split"):
            _choose_split()
        with st.expander(say("tuning.part.probe"), key="part-probe"):
            st.text_area(say("tuning.probe"), height=90, help=say("tuning.probe.help"), **_kept("probe"))
        with st.expander(say("training.part.training"), key="part-training"):
            _choose_training(usual)


def _choose_split() -> None:
    files = page_state(TuningState).files
    for split in HELD:
        if split not in files:
            st.slider(say(f"tuning.share.{split}"), SHARE.start, SHARE.stop - 1, **_kept(split))
    st.number_input(say("tuning.split"), 0, 2**31 - 1, step=1, help=say("tuning.split.help"), **_kept("split"))
    for split in HELD:
        _choose_data(split)


def _choose_training(usual: Mapping[str, Any]) -> None:
    def typed(name: str, label: str, low: float, high: float, **more: Any) -> None:
        value = usual.get(name)
        hint = say("tuning.usual", value=f"{value:g}" if isinstance(value, float) else f"{value:,}") if value else ""
        st.number_input(label, low, high, value=None, placeholder=hint, **more, **_kept(name))

    typed("steps", say("training.set.steps"), 1, 1_000_000, step=1, help=say("tuning.steps.help"))
    batches = sorted({*BATCHES, TuningState.setting("batch").value})
    st.select_slider(say("training.set.batch"), batches, help=say("tuning.batch.help"), **_kept("batch"))
    typed("rate", say("training.set.lr"), 1e-8, 1.0, format="%g", step=1e-5, help=say("tuning.rate.help"))
    typed("length", say("tuning.length"), 4, 2**16, step=1, help=say("tuning.length.help"))
    st.toggle(say("tuning.weighted"), help=say("tuning.weighted.help"), **_kept("weighted"))
    st.toggle(say("tuning.stop"), help=say("tuning.stop.help"), **_kept("stop"))
    st.number_input(say("training.set.seed"), 0, 2**31 - 1, step=1, help=say("tuning.seed.help"), **_kept("seed"))


def _kept(name: str) -> Mapping[str, Any]:
    return TuningState.setting(name).kept
