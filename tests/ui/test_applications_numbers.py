"""Applications whose models read numbers, items or places: each view with what ships and with a run just trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import Generator

from attnviz import locale
from attnviz.tasks import Digits, Gridworld, OwnSeries, Seasonal, Sessions, Sound, Task
from attnviz.tasks.signals.voice import RATE, wav_bytes
from attnviz.training import Run, RunConfig, TrainConfig, record
from attnviz.ui.applications.case import N_EXAMPLES, SEED, examples
from attnviz.ui.applications.sound import _clips
from tests.ui.pages import address, messages, open_page, run

APPLICATIONS = ("digits", "series", "sound", "sessions", "gridworld")
COLUMN = "sales\n" + "1\n5\n2\n4\n" * 60


def text_of(page: AppTest) -> str:
    """All that is written on a page."""
    kinds = (page.markdown, page.caption, page.info, page.warning, page.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def figures(page: AppTest) -> list[str]:
    return [element.proto.spec for element in page.get("plotly_chart")]


def trained(folder: Path, name: str, task: Task, *, recurrent: bool = False) -> str:
    """A network that learned next to nothing, by the name under which it is listed."""
    shape = replace(task.recurrent_config() if recurrent else task.model_config(), d_model=16)
    training = TrainConfig(steps=3, batch_size=8, warmup_steps=1, validate_every=3, validation_size=8)
    made = Run.create(folder / "tiny", RunConfig(task, shape, training, recipe=name))
    record(made)
    return "run/tiny@3"


RUNS: dict[str, tuple[str, Task, bool]] = {
    "digits": ("digits", Digits(patch=4), False),
    "digits of an LSTM": ("digits-lstm", Digits(), True),
    "series": ("series", Seasonal(), False),
    "series of any period": ("series", Seasonal(min_period=4, max_period=8), False),
    "series of an LSTM": ("series-lstm", Seasonal(), True),
    "series of one's own": ("own-series", OwnSeries(COLUMN, length=16), False),
    "sound": ("sound", Sound(vowels=2, bands=8), False),
    "sound of an LSTM": ("sound-lstm", Sound(), True),
    "sessions": ("sessions", Sessions(length=12, first=3), False),
    "sessions of an LSTM": ("sessions-lstm", Sessions(), True),
    "gridworld": ("gridworld", Gridworld(horizon=12), False),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_run_just_trained_is_shown(case: str, runs_folder: Path) -> None:
    recipe, task, recurrent = RUNS[case]
    name = trained(runs_folder, recipe, task, recurrent=recurrent)
    page = open_page("applications", app=case.split()[0], model=name)
    assert page.selectbox(key="app-model").value == name
    assert not page.error
    assert not page.warning
    has_attention = not recurrent or task.recurrent_config().pooling == "additive"
    assert (locale.t("en", "applications.no_attention") in messages(page)) is not has_attention


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("app", APPLICATIONS)
@pytest.mark.parametrize("text", ["", "  ", "🙂", "<b>x</b>", "1,2,3 x", "nan", "1e999", "0.5 " * 900])
def test_a_text_that_is_wrong_is_said(app: str, text: str, lang: str) -> None:
    page = open_page("applications", app=app, text=text, lang=lang)
    assert len(page.warning) == 1
    assert not page.error
    assert page.text_area(key="app-text").value == text


def test_the_answer_on_a_digit_is_told_with_ten_probabilities_and_a_verdict() -> None:
    page = open_page("applications", app="digits")
    assert len(figures(page)) == 4  # picture, heads, probabilities, deletion
    verdicts = [
        locale.t("en", f"applications.digits.verdict.{name}") for name in ("explains", "ink", "nothing", "empty")
    ]
    assert sum(verdict in text_of(page) for verdict in verdicts) == 1
    before = figures(page)
    page.selectbox(key="app-head").set_value("encoder.0.self/0")
    run(page)
    assert figures(page) != before
    assert address(page)["head"] == "encoder.0.self/0"


def test_a_part_of_a_picture_is_answered_without_a_drawing() -> None:
    page = open_page("applications", app="digits", text="0,0,0,1 1,1,1,1")
    assert locale.t("en", "applications.digits.patches", needed=16, given=2) in messages(page)
    assert figures(page) == []


def test_a_forecast_goes_as_far_as_one_likes() -> None:
    page = open_page("applications", app="series")
    assert page.slider(key="app-begin").value == 32
    page.slider(key="app-steps").set_value(3)
    page.slider(key="app-begin").set_value(48)
    run(page)
    assert locale.t("en", "applications.series.error", n=1) in text_of(page)  # the one after the last is known
    assert "100%" in text_of(page)  # of the attention lies whole periods back, in the model that ships


@pytest.mark.parametrize("text", ["1", "1 2", "0 " * 48, "20 -20 " * 24])
def test_any_series_that_can_be_read_is_shown(text: str) -> None:
    page = open_page("applications", app="series", text=text)
    assert not page.warning
    assert len(figures(page)) == 1


def test_a_series_of_ones_own_has_its_own_unit(runs_folder: Path) -> None:
    name = trained(runs_folder, "own-series", OwnSeries(COLUMN, length=16))
    page = open_page("applications", app="series", model=name)
    (figure,) = figures(page)
    assert '"sales"' in figure
    assert "whole periods of 4 points" in text_of(page)


def test_what_is_heard_is_what_is_read() -> None:
    task = Sound()
    clips, rows = _clips(task), examples(task)
    assert len(clips) == len(rows) == N_EXAMPLES
    for clip, row in zip(clips, rows, strict=True):
        assert row.features is not None
        torch.testing.assert_close(clip.frames, row.features[0, 1:])
        assert clip.answer == task.labels[int(row.targets[0, 0])]


def test_a_sound_can_be_heard_and_any_of_its_frames_asked() -> None:
    page = open_page("applications", app="sound")
    assert len(page.get("audio")) == 1
    before = figures(page)
    page.selectbox(key="app-query").set_value(20)
    run(page)
    assert figures(page) != before


def test_a_sound_of_ones_own_is_read() -> None:
    page = open_page("applications", app="sound")
    example = page.text_area(key="app-text").value
    noise = torch.randn(RATE // 2, generator=Generator().manual_seed(SEED))
    page.file_uploader(key="app-sound-file-0").set_value(("noise.wav", wav_bytes(noise), "audio/wav"))
    run(page)
    assert not page.warning
    assert page.text_area(key="app-text").value not in ("", example)
    assert len(page.get("audio")) == 1


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\x00" * 2000, wav_bytes(torch.ones(RATE * 3))])
def test_a_sound_that_cannot_be_read_is_said(content: bytes) -> None:
    page = open_page("applications", app="sound")
    example = page.text_area(key="app-text").value
    page.file_uploader(key="app-sound-file-0").set_value(("bad.wav", content, "audio/wav"))
    run(page)
    assert len(page.warning) == 1
    assert page.text_area(key="app-text").value == example


def test_frames_that_were_typed_cannot_be_heard() -> None:
    page = open_page("applications", app="sound", text=",".join(["0.5"] * 16))
    assert not page.warning
    assert page.get("audio") == []
    assert locale.t("en", "applications.sound.silent") in messages(page)


def test_the_next_item_is_known_where_another_follows() -> None:
    page = open_page("applications", app="sessions", text="tent spade compass stove mulch flask gloves")
    assert "HR@10" in text_of(page)
    assert ":green[✓]" not in text_of(page)  # nobody knows what came after the last item of one's own
    page.selectbox(key="app-query").set_value(2)
    run(page)
    true = ":green[✓]" in text_of(page)
    missed = locale.t("en", "applications.sessions.missed", item="stove", n=10) in messages(page)
    assert true is not missed


def test_the_controls_of_the_gridworld_write_what_the_model_reads() -> None:
    page = open_page("applications", app="gridworld", text="r100 red s64")
    assert page.selectbox(key="app-sign").value == "red"
    page.selectbox(key="app-sign").set_value("green")
    run(page)
    assert page.text_area(key="app-text").value == "r100 green s64"
    assert address(page)["text"] == "r100 green s64"
    assert "green" in text_of(page)


def test_in_the_gridworld_the_model_goes_where_the_sign_says() -> None:
    for sign in ("red", "green", "blue"):
        page = open_page("applications", app="gridworld", text=f"r100 {sign} s64")
        goal = locale.t("en", f"applications.gridworld.{sign}")
        assert f"({goal})" in text_of(page).replace("\\", "")
        assert "reaches the goal" in text_of(page)


@pytest.mark.parametrize("text", ["up up", "r100", "red r100 s64", "r100 red up"])
def test_a_walk_begins_with_return_sign_and_place(text: str) -> None:
    page = open_page("applications", app="gridworld", text=text)
    assert "r100 red s" in messages(page)
    assert figures(page) == []


def test_the_name_of_a_column_is_text_never_markup(runs_folder: Path) -> None:
    column = COLUMN.replace("sales", "<b>x</b>")
    name = trained(runs_folder, "own-series", OwnSeries(column, length=16))
    page = open_page("applications", app="series", model=name)
    assert "&lt;b&gt;x" in figures(page)[0].encode().decode("unicode_escape")
    assert "`<b>x</b>`" in text_of(page)
