"""The memory of a step: worked out beforehand, and about what autograd then keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from attnviz.errors import ConfigError, TooMuchMemory
from attnviz.models.cost import activation_bytes
from attnviz.models.network import build_network
from attnviz.training import RECIPES, Run, RunConfig, record
from attnviz.training.engine.memory import check_memory, memory_limit
from tests.training.runs import MODEL, TASK, small_config


@pytest.mark.parametrize("name", ["reverse", "induction", "dates", "addition", "chinese"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("convolves", [False, True])
def test_the_estimate_is_about_what_is_kept(name: str, dropout: float, convolves: bool) -> None:
    task = RECIPES[name].task
    model = replace(task.convolutional_config() if convolves else RECIPES[name].model, dropout=dropout)
    network = build_network(model, 0)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(model.vocab_size, (4, model.max_len), generator=generator)
    source = None
    if model.source_vocab_size is not None and model.source_max_len is not None:
        source = torch.randint(model.source_vocab_size, (4, model.source_max_len), generator=generator)
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, Tensor] = {}  # by storage; held, so that no address is used twice

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = network(tokens, source)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten())
    measured = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    assert 0.7 < activation_bytes(model, 4) / measured < 1.6


def test_too_large_a_batch_is_refused_with_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = replace(RECIPES["english"].model, max_len=4096)
    with pytest.raises(TooMuchMemory) as caught:
        check_memory(model, 4096)
    assert str(caught.value).startswith("A batch of 4,096 sequences of 4,096 tokens needs about ")
    details = caught.value.details
    assert (details["batch"], details["length"], details["limit"]) == (4096, 4096, "4.0 GiB")
    fits = details["fits"]
    check_memory(model, fits)
    with pytest.raises(TooMuchMemory):
        check_memory(model, fits + 1)
    monkeypatch.setenv("ATTNVIZ_TRAIN_MEMORY_MB", "1")
    with pytest.raises(TooMuchMemory, match=r"A batch of 0 fits\. A smaller model or shorter sequences need less"):
        check_memory(model, 1)
    with pytest.raises(ConfigError, match=r"the limit is 1 MiB"):
        Run.create(tmp_path / "run", small_config(batch_size=4096))
    assert not (tmp_path / "run").exists()


def test_the_limit_holds_for_a_run_that_was_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = RunConfig(TASK, MODEL, replace(small_config().training, batch_size=1024))
    run = Run.create(tmp_path / "run", config)
    monkeypatch.setenv("ATTNVIZ_TRAIN_MEMORY_MB", "1")
    with pytest.raises(TooMuchMemory, match=r"A batch of 1,024 sequences of \d+ tokens needs about"):
        record(run)
    state = run.state()
    assert state.state == "failed"
    assert state.error is not None
    assert state.error["code"] == "too_much_memory"
    assert state.error["details"]["limit"] == "1 MiB"


@pytest.mark.parametrize("text", ["0", "-1", "much", "1.5", "٣"])
def test_an_impossible_limit_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ATTNVIZ_TRAIN_MEMORY_MB", text)
    with pytest.raises(ConfigError, match="it must be a whole number of at least 1"):
        memory_limit()
