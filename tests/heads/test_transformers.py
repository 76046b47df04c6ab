"""Heads of models of transformers: learned ones are found, none are made up, effects are those of the edited model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import attnviz
from attnviz.cli import main
from attnviz.edits import head_off
from attnviz.errors import NoImages, NotTextAlone
from attnviz.heads import EFFECT, shipped_texts
from attnviz.heads.effects import Asked, can_measure, measure_effects
from attnviz.huggingface import wrap
from attnviz.huggingface.sample import sample
from attnviz.trace import Trace
from tests.heads.tiny_llama import letters, texts, trained
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level, unigram

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}


def divergence(before: Trace, after: Trace) -> torch.Tensor:
    p, q = before.logits.float().log_softmax(-1), after.logits.float().log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1)


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "Mixtral", "BERT", "T5", "BART", "Whisper", "ViT", "Swin"])
def test_effects_are_those_of_the_model_with_the_head_off(name: str) -> None:
    model = wrap(BUILD[name]())
    inputs = sample(model.network, model.parameters)[0]
    trace = attnviz.trace_inputs(model, inputs)
    assert can_measure(trace)
    names = dict.fromkeys(site.name.partition(".w")[0] for site in trace.sites)
    asked = [Asked(site, 1, "elsewhere") for site in names]  # few enough outputs to compare all of them
    effects = measure_effects(trace, asked)
    assert effects
    for each, effect in effects.items():
        changes = divergence(trace, attnviz.trace_inputs(model, inputs, edits=[head_off(each.site, 1)]))
        assert min(changes.mean(), changes.min()) - 1e-5 <= effect.kl <= changes.max() + 1e-5
        if effect.n == len(changes):
            assert effect.kl == pytest.approx(float(changes.mean()), rel=1e-3, abs=1e-6)
    found = trace.find_heads()
    assert {head.site for head in found} == set(names)
    assert [head.labels for head in found if head.labels] == [], "its weights are random, and the text is short"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved Llama that learned induction."""
    path = tmp_path_factory.mktemp("models") / "tiny-induction"
    trained().save_pretrained(path)
    letters().save_pretrained(path)
    return path


def test_a_trained_model_of_transformers_has_the_circuit_of_induction(folder: Path) -> None:
    model = attnviz.load_model(folder)
    found = attnviz.find_heads(model, texts(12, seed=9))
    labels = {(head.site, head.label) for head in found if head.label}
    assert ("decoder.1.self", "induction") in labels
    assert max(head.readings["previous"].lift for head in found if head.place.layer == 0) > 0.2, "which it is made of"
    effects = [label.effect for head in found for label in head.labels if label.name == "induction"]
    assert max(effect.loss for effect in effects if effect and effect.loss is not None) > 10 * EFFECT
    network: Any = BUILD["Llama"](vocab_size=24)
    assert [head.label for head in attnviz.find_heads(wrap(network, letters()), texts(12, seed=9)) if head.label] == []


def test_the_atlas_of_a_saved_model(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(texts(8, seed=4)), "utf-8")
    assert main(["atlas", str(folder), "--texts", str(file)]) == 0
    rows = [line.split()[:3] for line in capsys.readouterr().out.splitlines()[2:]]
    assert any(row[0] == "decoder.1.self" and row[2:] == ["induction"] for row in rows)
    assert main(["atlas", str(folder), "--texts", str(file), "--html", str(tmp_path / "heads")]) == 0
    page = (tmp_path / "heads" / "index.html").read_text("utf-8")
    told = re.search(r'<script type="application/json" id="attnviz-file">(.*?)</script>', page)
    assert told
    assert json.loads(told[1])["counts"] == {"heads": 4, "texts": 8, "tokens": 320}


def test_models_that_write_a_target_and_models_of_images(tmp_path: Path) -> None:
    written = attnviz.find_heads(BUILD["BART"](vocab_size=300), ["the cat sat"], tokenizer=byte_level())
    assert {head.site.rpartition(".")[2] for head in written} == {"self", "cross"}
    given = attnviz.find_heads(BUILD["T5"](), [("the cat", "the mat")], tokenizer=unigram())
    assert {tokens for found in given.texts.values() for tokens in found} <= {"encoder", "decoder"}
    for index in range(2):
        Image.effect_noise((24, 24), 40 + index).convert("RGB").save(tmp_path / f"{index}.png")
    from transformers import ViTImageProcessor

    sees = wrap(BUILD["ViT"](), ViTImageProcessor(size={"height": 24, "width": 24}))
    found = attnviz.find_heads(sees, [str(tmp_path / "0.png"), str(tmp_path / "1.png")])
    assert (found.n_texts, len(list(found))) == (2, 8)


def test_the_texts_that_come_along_fit_the_model() -> None:
    short = wrap(BUILD["GPT-2"](vocab_size=300), byte_level())
    some = shipped_texts(short)
    assert (
        0
        < len(some)
        < len(shipped_texts(wrap(BUILD["Llama"](vocab_size=300, max_position_embeddings=4096), byte_level())))
    )
    assert attnviz.find_heads(short).n_texts == len(some)
    with pytest.raises(NoImages):
        attnviz.find_heads(wrap(BUILD["ViT"]()))
    for name in ("CLIP", "Whisper", "AST"):
        with pytest.raises(NotTextAlone):
            attnviz.find_heads(wrap(BUILD[name]()))
