"""A fine-tuned run is a run like any other: recorded, resumed bit for bit, opened, exported."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

import attnviz
from attnviz.errors import BaseChanged
from attnviz.finetuning.baselines import baselines
from attnviz.finetuning.evaluation import answers, report
from attnviz.finetuning.movement import moved
from attnviz.finetuning.plan import Plan, plan
from attnviz.finetuning.tasks import open_base
from attnviz.huggingface.tuned import save_folder
from attnviz.training import Command, Evaluation, Run, record
from attnviz.training.engine import loop
from attnviz.training.run.config import Recording
from attnviz.training.run.settings import changed
from tests.finetuning.conftest import rows, table
from tests.training.runs import Script, contents

METHODS = ("head", "last:1", "all-but-embeddings", "all", "lora")
TRAINING = {"steps": 6, "batch_size": 4, "learning_rate": 0.01, "validate_every": 3}


def planned(base: Path, method: str = "last:1", **options: Any) -> Plan:
    training = TRAINING | options.pop("training", {})
    made = plan(str(base), {"train": table(rows())}, method=method, training=training, watched="a good film", **options)
    config = replace(made.config, recording=Recording(every=2))
    return replace(made, config=config)


@pytest.mark.parametrize("method", METHODS)
def test_resumed_bit_for_bit_and_opened(bert: Path, tmp_path: Path, method: str) -> None:
    """A checkpoint holds what was trained; it opens here, and exported in transformers too, with the same answers."""
    made = planned(bert, method)
    through, stopped = (Run.create(tmp_path / name, made.config) for name in ("through", "stopped"))
    assert record(through).state == "done"
    assert record(stopped, Script(at_5=Command("stop"))).state == "stopped"
    run = Run.open(stopped.folder)
    assert record(run).state == "done"
    assert contents(run) == contents(through)

    assert run.checkpoint_path(6).stat().st_size < 4 * made.model.n_trained + 8000
    network: Any = run.network(6)
    tokens = torch.tensor([run.config.task.tokenizer.encode("a good film was not bad")])
    expected = network.eval()(tokens)[0, 0]
    model = run.model(6)
    trace = attnviz.trace(model, "a good film was not bad")
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
    exported = save_folder(model, tmp_path / "exported")
    assert attnviz.load_model(exported).facts.kind == "BertForSequenceClassification"
    opened = AutoModelForSequenceClassification.from_pretrained(exported)
    assert opened.config.id2label == {0: "negative", 1: "positive"}
    with torch.no_grad():
        assert torch.allclose(opened(tokens).logits[0], expected, atol=1e-5)


def test_settings_change_without_measuring_again(bert: Path) -> None:
    made, training = planned(bert), {"steps": 9, "learning_rate": 0.5, "patience": 2}
    other = made.changed(weighted=True, watched="a day\na book", **training)
    asked = plan(
        str(bert),
        {"train": table(rows())},
        method="last:1",
        training={**training, "batch_size": 4},
        weighted=True,
        watched="a day\na book",
    )
    assert other.config.digest == asked.config.digest
    assert (other.cost, other.findings) == (made.cost, made.findings)
    assert other.seconds > 0


def test_a_run_keeps_a_base_that_goes(bert: Path, tmp_path: Path) -> None:
    base = Path(shutil.copytree(bert, tmp_path / "handed-in"))
    made = planned(base)
    made.task.keeping(base)
    run = Run.create(tmp_path / "kept", made.config)
    shutil.rmtree(base)
    assert record(run).state == "done"
    again = Run.open(run.folder)
    assert again.model(6).facts.kind == "BertForSequenceClassification"
    assert (run.folder / "base" / "config.json").is_file()
    other = changed(again.config, {"method": "head"}, seed=1)  # as a search draws it
    assert record(Run.create(tmp_path / "other", other)).state == "done"
    assert (tmp_path / "other" / "base" / "config.json").is_file()


def test_kept_layers_answer_as_computed_ones(bert: Path) -> None:
    """Their outputs are kept from texts read alone; a batch with padding comes to the same."""
    config = planned(bert, "last:1").config
    network: Any = config.task.build(config.model, 0).eval()
    batch = config.task.items("test")
    assert batch is not None
    kept = network(batch.tokens, padding=batch.padding)
    network._frozen = []
    assert torch.allclose(kept, network(batch.tokens, padding=batch.padding), atol=1e-6)


def test_attention_moves_where_layers_are_trained(bert: Path, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", planned(bert, "last:1").config)
    record(run)
    found = {layer.site: layer.mean for layer in moved(run)}
    assert found["encoder.0.self"] == found["encoder.1.self"] == 0
    assert found["encoder.2.self"] > 0
    head = Run.create(tmp_path / "head", planned(bert, "head").config)
    record(head)
    assert {layer.mean for layer in moved(head)} == {0.0}


def test_a_decoder_with_class_weights(gpt2: Path, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", planned(gpt2, "all", weighted=True).config)
    assert record(run).state == "done"
    assert run.model(6).text_stack == "decoder"


def test_early_stopping_keeps_the_best(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter((0.9, 0.5, 0.7, 0.6, 0.1))
    monkeypatch.setattr(loop, "evaluate", lambda *_: Evaluation(next(losses), 0.5))
    training = {"steps": 40, "validate_every": 3, "patience": 2}
    run = Run.create(tmp_path / "run", planned(bert, "head", training=training).config)
    assert record(run).step == 12
    assert run.best_step() == 6
    assert record(Run.open(run.folder)).step == 12


def test_other_weights_under_the_base_models_name_are_refused(bert: Path, tmp_path: Path) -> None:
    made = planned(bert)
    run = Run.create(tmp_path / "run", replace(made.config, model=replace(made.model, sha256="0" * 64)))
    with pytest.raises(BaseChanged, match="tiny-bert has other weights now"):
        record(run)
    assert Run.open(run.folder).state().state == "failed"


def test_a_report_and_what_stands_beside_it(bert: Path, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", planned(bert, "all", training={"steps": 30}).config)
    record(run)
    task: Any = run.config.task
    items = task.parts["test"]
    found = report(task, items, answers(run.network(30), task, items))
    assert found.n == len(items) == sum(map(sum, found.confusion))
    right = sum(found.confusion[place][place] for place in range(2))
    assert found.accuracy == found.score == right / found.n
    assert found.interval.low <= found.score <= found.interval.high
    assert len(found.wrong) == found.n - right
    assert [each.sure for each in found.wrong] == sorted((each.sure for each in found.wrong), reverse=True)
    names = {each.name: each for each in baselines(task, items, open_base(str(bert))[0])}
    assert set(names) == {"most frequent", "bag of words", "frozen features"}
    assert names["bag of words"].score == 1.0  # one word decides


def test_tags_stand_at_the_first_piece_of_a_word(bert: Path, tmp_path: Path) -> None:
    sentences = [f"{name} B-PER\ngoodday O\n{word} O\n" for name in ("good", "bad", "fine") for word in "abcdefgh"]
    made = plan(str(bert), {"train": "\n".join(sentences)}, tags=True, method="all", training=TRAINING)
    task: Any = made.config.task
    batch = task.batch(task.parts["train"][:1])
    read = task.read(task.parts["train"][0])
    assert len(read.ids) > 5
    due = [index for index, label in enumerate(batch.targets[0].tolist()) if label != -100]
    assert [read.words[index] for index in due] == [0, 1, 2]
    run = Run.create(tmp_path / "run", made.config)
    record(run)
    found = report(task, task.parts["test"], answers(run.network(6), task, task.parts["test"]))
    assert found.metric == "F1"
    assert [each.name for each in found.averages] == ["micro", "macro", "weighted"]
    assert run.model(6).facts.kind == "BertForTokenClassification"
