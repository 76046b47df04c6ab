"""Below the picture of the Explorer: gates and states of recurrent models, outputs of those without attention."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import attnviz
from attnviz import locale
from attnviz.figures.states import states
from attnviz.loading import checkpoint_name
from attnviz.models import RecurrentConfig, SequenceModel
from attnviz.tasks import RunningParity
from attnviz.training import RunConfig, TrainConfig, new_run, record
from attnviz.ui.explorer.state import ExplorerState
from tests.ui.pages import ENTRY, PATIENCE, messages, run


def open_model(name: str, **params: str) -> AppTest:
    page = AppTest.from_file(ENTRY, default_timeout=PATIENCE)
    for key, value in {"model": name, **params}.items():
        page.query_params[key] = value
    return run(page)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_model_without_attention_shows_its_outputs_and_states(lang: str) -> None:
    page = open_model("entities-lstm", text="Anna in April", lang=lang)
    assert not page.error
    assert locale.t(lang, "states.no_attention") in messages(page)
    titles = [title.value for title in page.header]
    assert titles == [locale.t(lang, "states.outputs"), locale.t(lang, "states.title")]
    table = page.dataframe[0].value
    assert list(table.columns) == [locale.t(lang, f"states.{name}") for name in ("token", "output", "probability")]
    assert table[locale.t(lang, "states.token")].tolist() == ["<bos>", "Anna", "in", "April"]


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_convolutional_network_shows_its_outputs_and_says_how_far_it_sees(lang: str) -> None:
    task = RunningParity()
    made = new_run(RunConfig(task, task.convolutional_config(), TrainConfig(steps=1, batch_size=2)), "cnn")
    record(made)
    page = open_model(checkpoint_name(made, 1), text="011", lang=lang)
    assert not page.error
    assert locale.t(lang, "states.no_attention.convolutional", before="30", after="0") in messages(page)
    assert [title.value for title in page.header] == [locale.t(lang, "states.outputs")]


def test_gates_and_directions_can_be_chosen() -> None:
    page = open_model("entities-lstm", text="Anna in April")
    assert page.session_state[ExplorerState.layer.key] == "encoder.0.backward"
    page.session_state[ExplorerState.layer.key] = "encoder.0.forward"
    page.session_state[ExplorerState.part.key] = "forget"
    page = run(page)
    trace = attnviz.trace(attnviz.load_model("zoo/entities-lstm"), "Anna in April")
    layer = trace.states()[0]
    assert layer.name == "encoder.0.forward"
    figure = states(layer, "forget", trace.tokens)
    assert figure.data[0].z.shape == (32, 4)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0.0, 1.0)
    assert page.latex[0].value.strip("$\n ").startswith("f_t")


def test_the_parts_follow_the_cell_of_the_model() -> None:
    for name in ("english-lstm", "dates-lstm"):
        model = attnviz.load_model(f"zoo/{name}")
        assert isinstance(model, SequenceModel)
        assert isinstance(model.config, RecurrentConfig)
        page = open_model(name)
        assert not page.error
        assert page.session_state[ExplorerState.part.key] == "hidden"


def test_a_transformer_has_nothing_below() -> None:
    page = open_model("reverse")
    assert page.header.len == 0


def test_a_forecast_is_told_value_by_value() -> None:
    page = open_model("series", text="0.1 0.2 0.3")
    assert not page.error
    table = page.dataframe[0].value
    trace = attnviz.trace(attnviz.load_model("zoo/series"), "0.1 0.2 0.3")
    assert table[locale.t("en", "states.value")].tolist() == pytest.approx(trace.logits[:, 0].tolist())


def test_a_forecast_can_be_continued() -> None:
    page = open_model("series", text="0.1 0.2 0.3")
    page.button(key="continue").click()
    page = run(page)
    assert page.text_area(key="text").value.startswith("0.1 0.2 0.3 ")
