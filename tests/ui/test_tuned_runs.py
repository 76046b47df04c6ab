"""A fine-tuned run on the pages: listed, watched, evaluated, and opened in the Explorer, its base there or gone."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest
from transformers.utils import logging

import attnviz
from attnviz import locale
from attnviz.finetuning.movement import mover
from attnviz.finetuning.plan import plan
from attnviz.finetuning.tasks import TunedLabels
from attnviz.server import workers
from attnviz.training import Run, new_run, record
from tests.finetuning.conftest import rows as texts
from tests.finetuning.conftest import table
from tests.huggingface.tokenizers import word_piece
from tests.ui.pages import Queue, click, messages, open_page, payload, rows, run
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


def base_of(run: Run) -> Path:
    return Path(run.config.to_dict()["model"]["base"])


def evaluated(page: AppTest) -> str:
    """The text of the evaluation, once it is there: its thread goes on while the page asks again."""
    end = time.monotonic() + 300  # a busy machine is slow, not wrong
    while time.monotonic() < end:
        said = "\n".join(element.value for element in page.markdown)
        if locale.t("en", "evaluation.interval") in said or page.warning:
            return said
        time.sleep(0.05)
        run(page)
    pytest.fail("there is no evaluation")


def upload(page: AppTest, name: str, content: bytes) -> AppTest:
    field = next(each for each in page.file_uploader if str(each.key).startswith("evaluation-file"))
    field.set_value((name, content, "text/csv"))
    return run(page)


def links(page: AppTest) -> list[dict[str, str]]:
    """The parameters of links to the Explorer."""
    found = [element.proto for element in page.main if getattr(element, "type", "") == "page_link"]
    return [
        {name: values[0] for name, values in parse_qs(each.query_string).items()}
        for each in found
        if "model=" in each.query_string
    ]


def test_an_evaluation_leads_from_scores_to_wrong_answers_in_the_explorer(tuned: Run) -> None:
    page = open_page("runs", run="mine")
    (both,) = links(page)
    most = mover(tuned)
    assert most is not None
    assert (both["layer"], both["head"]) == (most.site.split(".")[1], str(most.head)), "where attention moved most"
    assert (both["mode"], both["model"], both["model2"]) == ("compare", "run/mine@2", "run/mine@0")
    click(page, "evaluate")
    said = evaluated(page)
    for part in (
        "This model",
        "Most frequent label",
        "Bag of words",
        "Base model without",
        "macro average",
        "positive",
    ):
        assert part in said
    assert "Checkpoint 2 on 2 texts" in messages(page)

    assert isinstance(tuned.config.task, TunedLabels)
    learnt = tuned.config.task.parts["train"][0].text
    given = [
        (text, label)
        for text in [*(text for text, _ in texts(14, seed=5)), learnt]
        for label in ("positive", "negative")
    ]
    upload(page, "more.csv", table([*given, ("a day", "other")]).encode())
    evaluated(page)
    assert "Checkpoint 2 on 30 texts" in messages(page)
    assert "does not know their labels: 1 texts" in messages(page)
    assert "trained on 2 of these texts" in messages(page)
    opens = [link for link in links(page) if link.get("mode") != "compare"]
    assert len(opens) == 10, "of each text one of the two labels is wrong; the first ten are shown"
    click(page, "more-wrong")
    assert len(links(page)) == 1 + 15
    assert {link["text"] for link in opens} <= {text for text, _ in given}
    page = open_page("explorer", **opens[0])
    assert not page.warning
    assert not page.error


def test_a_file_that_cannot_be_judged_is_refused_in_both_languages(tuned: Run) -> None:
    for lang, words in (("en", "None of the labels is one"), ("zh", "其中没有模型学过的标签")):
        page = open_page("runs", run="mine", lang=lang)
        upload(page, "broken.csv", b"text,label\n")
        assert page.warning
        assert not page.exception
        upload(page, "others.csv", table([(text, f"rating {n % 3}") for n, (text, _) in enumerate(texts(9))]).encode())
        evaluated(page)
        assert words in messages(page)


def test_before_and_after_compares_the_base_models_attention(tuned: Run) -> None:
    """The first checkpoint of a run attends as its base model does: nothing but the head is new."""
    base, before = (attnviz.load_model(name) for name in (str(base_of(tuned)), "run/mine@0"))
    sites = [attnviz.trace(model, "the cat sat").sites for model in (base, before)]
    for mine, other in zip(*sites, strict=True):
        assert mine.q.equal(other.q)
        assert mine.k.equal(other.k)
    page = open_page("explorer", mode="compare", model="run/mine@2", model2="run/mine@0", text="the cat sat")
    assert not page.warning
    assert locale.t("en", "compare.tokens", a=5, b=5, n=5) in messages(page)


def test_a_base_that_went_or_changed_says_so(tuned: Run) -> None:
    base = base_of(tuned)
    weights = base / "model.safetensors"
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-4] + bytes(4))
    for name, words in (("changed", "has other weights now"), ("gone", "which is not there any more")):
        page = open_page("explorer", model="run/mine@2", text="the cat sat")
        assert words in messages(page), name
        assert str(base) not in messages(page), "nobody needs to know where it lies"
        page = click(open_page("runs", run="mine"), "evaluate")
        evaluated(page)
        assert words in messages(page), name
        shutil.rmtree(base, ignore_errors=True)


def test_it_is_listed_and_watched_without_its_base_and_opens_with_it(tuned: Run) -> None:
    page = open_page("explorer", model="run/mine@2", text="the cat sat")
    assert not page.exception
    assert "BertForSequenceClassification · 2 layers" in messages(page)
    shutil.rmtree(base_of(tuned))
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
