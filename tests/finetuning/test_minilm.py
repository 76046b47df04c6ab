"""A real pretrained BERT, from the package that carries its weights, learns more in a few steps than its base tells."""

from __future__ import annotations

from pathlib import Path

import pytest

import attnviz
from attnviz.finetuning.judgement import judge
from attnviz.finetuning.movement import moved
from attnviz.finetuning.plan import plan
from attnviz.tasks.base import Split
from attnviz.training import Run, record
from bench.finetune import names, packaged

FEW: dict[Split, int] = {"train": 64, "validation": 10, "test": 40}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """MiniLM after a few steps on sentences with names."""
    training = {"steps": 24, "batch_size": 8, "learning_rate": 1e-3, "validate_every": 24}
    made = plan(packaged(), names(FEW), tags=True, method="last:2", training=training, watched="Anna wrote to Oslo")
    assert (made.model.n_layers, made.model.n_heads, made.model.kind) == (6, 12, "BertForTokenClassification")
    run = Run.create(tmp_path_factory.mktemp("runs") / "minilm", made.config)
    record(run)
    return run


def test_it_finds_names_that_it_has_never_seen(tuned: Run) -> None:
    found = judge(tuned, 24)
    scores = {each.name: each.score for each in found.baselines}
    assert found.report.score > scores["word alone"] + 0.05
    assert scores["most frequent"] == 0


def test_it_opens_with_a_proof_and_only_trained_layers_have_moved(tuned: Run) -> None:
    trace = attnviz.trace(tuned.model(24), "Anna wrote to Oslo")
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
    change = [layer.mean for layer in moved(tuned)]
    assert change[:4] == [0, 0, 0, 0]
    assert change[5] > 0
    assert tuned.checkpoint_path(24).stat().st_size < 16 * 2**20, "it holds what was trained: two layers of six"
    assert Path(packaged(), "model.safetensors").stat().st_size > 80 * 2**20
