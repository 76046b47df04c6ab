"""A fine-tuned run on the pages: listed, watched, and opened in the Explorer, with its base model there or gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from transformers.utils import logging

from attnviz.finetuning.plan import plan
from attnviz.server import workers
from attnviz.training import Run, new_run, record
from tests.finetuning.conftest import rows as texts
from tests.finetuning.conftest import table
from tests.huggingface.tokenizers import word_piece
from tests.ui.pages import Queue, messages, open_page, payload, rows
from tests.ui.real import BUILD, WORDS


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(workers, "queue", Queue)
    logging.set_verbosity_error()
    base = tmp_path / "tiny-bert"
    BUILD["BERT"]().save_pretrained(base)
    word_piece(WORDS).save_pretrained(base)
    training = {"steps": 2, "batch_size": 2}
    made = plan(str(base), {"train": table(texts(20))}, method="last:1", watched="the cat sat", training=training)
    run = new_run(made.config, "mine")
    record(run)
    return run


def test_it_is_listed_and_watched_without_its_base_and_opens_with_it(tuned: Run) -> None:
    page = open_page("explorer", model="run/mine@2", text="the cat sat")
    assert not page.exception
    assert "BertForSequenceClassification · 2 layers" in messages(page)
    shutil.rmtree(Path(tuned.config.to_dict()["model"]["base"]))
    page = open_page("runs", run="mine")
    assert not page.exception
    assert rows(page)["mine"]["task"] == "Fine-tuning: labels"
    assert rows(page)["mine"]["model"] == "BertForSequenceClassification, last:1"
    header = payload(page, "rates")
    assert header is not None
    assert header["sequences"][0]["labels"]["encoder"][1:-1] == ["the", "cat", "sat"]
    assert not page.error
    assert not page.warning
    for name in ("training", "models"):
        assert not open_page(name, **({"run": "mine"} if name == "training" else {})).exception
