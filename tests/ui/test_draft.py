"""What the controls say, as addresses and as runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.errors import ConfigError, EmptyText, TextTooShort
from attnviz.models import ConvolutionalConfig, ModelConfig, RecurrentConfig
from attnviz.models.kinds import NetworkKind
from attnviz.tasks import OwnText
from attnviz.training import RECIPES, RunConfig
from attnviz.training.recipes import OWN_TEXT
from attnviz.ui.training.draft import TRAINING, Draft, recipe_names, width_fits, widths

TEXT = "to be or not to be, that is the question. " * 10


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_draft_that_makes_its_run(name: str) -> None:
    draft = Draft.of_recipe(name)
    config = draft.config()
    assert replace(config, created="") == replace(RunConfig.of_recipe(RECIPES[name]), created="")
    assert Draft.of_run(config) == draft
    assert {key for key, value in draft.to_link().items() if value} == {"recipe"}


@pytest.mark.parametrize("name", recipe_names())
def test_everything_that_differs_stands_in_the_address_and_comes_back(name: str) -> None:
    draft = Draft.of_recipe(name, TEXT)
    changed = {
        "layers": 3, "heads": 4, "d_model": 64, "d_ff": 0, "positions": "sinusoidal", "norm": "post", "dropout": 0.1,
        "lr": 0.0002, "warmup": 7, "schedule": "linear", "final": 0.5, "batch": 16, "steps": 123, "decay": 0.3,
        "clip": None, "seed": 5,
    }  # fmt: skip
    draft = draft.with_network("transformer")
    assert set(changed) == {*draft.shown, *TRAINING} - {"network", "pooling"}
    task = {choice.name: choice.values[-1] for choice in draft.kind.choices()}
    draft = replace(draft, settings={**draft.settings, **changed}, task=task)
    back, wrong = Draft.of_link(draft.to_link())
    assert wrong == []
    assert back == draft


@pytest.mark.parametrize("network", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_recurrent_network_does_any_task(name: str, network: NetworkKind) -> None:
    draft = Draft.of_recipe(name).with_network(network)
    offered = {"layers": 2, "d_model": 40, "dropout": 0.1, "both_ways": True, "attention": "dot", "pooling": "additive"}
    assert {"network", *offered} >= set(draft.shown) >= {"network", "layers", "d_model", "attention", "dropout"}
    chosen = {name: value for name, value in offered.items() if name in draft.shown}
    draft = replace(draft, settings={**draft.settings, **chosen})
    back, wrong = Draft.of_link(draft.to_link())
    assert wrong == []
    assert back == draft
    config = draft.config()
    assert isinstance(config.model, RecurrentConfig)
    assert (config.model.cell, config.model.d_model, config.model.attention) == (network, 40, "dot")
    assert config.model.bidirectional == (config.task.architecture != "decoder")
    assert config.model.pooling == ("additive" if config.task.readout == "whole" else "none")
    assert Draft.of_run(config) == draft
    shipped = RECIPES[name].model
    assert draft.with_network("transformer").config().model == shipped or not isinstance(shipped, ModelConfig)


@pytest.mark.parametrize("name", RECIPES)
def test_a_convolutional_network_does_any_task(name: str) -> None:
    draft = Draft.of_recipe(name).with_network("cnn")
    chosen = {"layers": 9, "d_model": 40, "dropout": 0.1, "kernel": 5, "dilation": 3}
    whole = draft.kind.readout == "whole"
    assert set(draft.shown) == {"network", *chosen, *(["pooling"] if whole else [])}
    assert "none" not in draft.offered("pooling")
    assert 12 in draft.offered("layers")
    assert (2 in draft.offered("kernel")) == (draft.kind.architecture != "encoder")
    draft = replace(draft, settings={**draft.settings, **chosen})
    back, wrong = Draft.of_link(draft.to_link())
    assert wrong == []
    assert back == draft
    config = draft.config()
    assert isinstance(config.model, ConvolutionalConfig)
    assert (config.model.n_layers, config.model.kernel_size, config.model.dilation) == (9, 5, 3)
    assert Draft.of_run(config) == draft
    assert draft.with_network("gru").config().model == Draft.of_recipe(name).with_network("gru").config().model


def test_a_run_of_any_draft_says_what_it_was_made_of() -> None:
    draft = replace(Draft.of_recipe(OWN_TEXT, TEXT), task={"length": 32})
    config = draft.config()
    assert isinstance(config.task, OwnText)
    assert Draft.of_run(config) == draft
    assert Draft.of_run(replace(config, recipe="")) == draft


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recipe", "../../etc"), ("layers", "0"), ("layers", "13"), ("layers", "٣"), ("lr", "0"), ("lr", "-1"),
        ("lr", "10"), ("lr", "nan"), ("lr", "x"), ("steps", "1e3"), ("steps", "9" * 50), ("positions", "fourier"),
        ("clip", "0"), ("seed", "-1"), ("d_model", "7"), ("batch", "0"), ("schedule", ""),
    ],
)  # fmt: skip
def test_what_an_address_cannot_ask_for_is_named_and_left_out(name: str, value: str) -> None:
    draft, wrong = Draft.of_link({"recipe": "copy", name: value})
    assert wrong == [name]
    draft.config()


@pytest.mark.parametrize("text", ["length:5", "max_length:99", "max_length:x", "min_length", "repeats:1"])
def test_a_task_has_its_own_parameters_only(text: str) -> None:
    draft, wrong = Draft.of_link({"recipe": "copy", "task": text})
    assert wrong == [text.partition(":")[0]]
    assert draft == Draft.of_recipe("copy")


@given(st.integers(1, 16), st.sampled_from(["none", "sinusoidal", "learned", "rotary"]), st.integers(1, 300))
def test_the_widths_that_are_offered_can_be_built(heads: int, positions: str, width: int) -> None:
    assert all(width_fits(other, heads, positions) for other in widths(heads, positions, width))
    settings = {**Draft.of_recipe("copy").settings, "heads": heads, "positions": positions, "d_model": width}
    draft = replace(Draft.of_recipe("copy"), settings=settings).fitted()
    draft.config()
    if width_fits(width, heads, positions):
        assert draft.settings == settings


def test_a_text_of_ones_own_is_refused_as_the_task_refuses_it() -> None:
    with pytest.raises(EmptyText):
        Draft.of_recipe(OWN_TEXT, "  \n").config()
    with pytest.raises(TextTooShort):
        Draft.of_recipe(OWN_TEXT, "short").config()


def test_a_text_of_any_length_is_in_the_parameters() -> None:
    """Whether they fit into an address is the address's to say."""
    assert Draft.of_recipe(OWN_TEXT, "ab" * 9000).to_link()["text"] == "ab" * 9000


def test_what_cannot_be_built_is_refused() -> None:
    draft = Draft.of_recipe("copy")
    with pytest.raises(ConfigError):
        replace(draft, settings={**draft.settings, "d_model": 7}).config()
