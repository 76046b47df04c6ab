"""From text and images to what a model reads, and how its tokens are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image

import attnviz
from attnviz.errors import (
    DoesNotWrite,
    EmptyText,
    ImageNeeded,
    ImageNotAllowed,
    ImageUnreadable,
    InputNeeded,
    NoTokenizer,
    TargetNotAllowed,
    TextTooLong,
)
from attnviz.huggingface import HuggingFaceModel, continue_text, trace_generated, trace_text, wrap
from attnviz.trace import Grid
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level, unigram, word_piece

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}


def gpt2(**changes: Any) -> HuggingFaceModel:
    return wrap(BUILD["GPT-2"](vocab_size=300, **changes), byte_level())


def bert(kind: str = "BertForMaskedLM", **changes: Any) -> HuggingFaceModel:
    config = hf.BertConfig(**{**next(a for a in ARCHITECTURES if a.name == "BERT").values, **changes})
    return wrap(getattr(hf, kind)(config).eval(), word_piece())


def vit() -> HuggingFaceModel:
    return wrap(BUILD["ViT"](), processor=hf.ViTImageProcessorPil(size={"height": 24, "width": 24}))


def test_bytes_spaces_and_words_of_a_byte_level_tokenizer() -> None:
    tokens = trace_text(gpt2(), "the cat don't, 中😀").sequences["decoder"]
    assert "".join(tokens.labels).startswith("the cat don't, ")
    assert "\\xf0" in tokens.labels
    by_word: dict[int | None, list[str]] = {}
    for word, label in zip(tokens.words, tokens.labels, strict=True):
        by_word.setdefault(word, []).append(label)
    words = ["".join(labels) for labels in by_word.values()]
    assert words[:4] == ["the", " cat", " don't", ","]
    assert by_word[tokens.words[-1]] == ["\\xf0", "\\x9f", "\\x98", "\\x80"]


def test_sentences_and_special_tokens_of_a_pair() -> None:
    trace = trace_text(bert(), "The cat sat unbelievable", "on the mat")
    tokens = trace.sequences["encoder"]
    assert tokens.labels[0] == "[CLS]"
    assert tokens.specials == tuple(i for i, label in enumerate(tokens.labels) if label in ("[CLS]", "[SEP]"))
    assert len(tokens.specials) == 3
    first, second = tokens.specials[1:]
    assert set(tokens.segments[1:first]) == {0}
    assert set(tokens.segments[first + 1 : second]) == {1}
    assert all(tokens.segments[i] is None and tokens.words[i] is None for i in tokens.specials)
    assert any(label.startswith("##") for label in tokens.labels)
    assert len(set(tokens.words[1:first])) == 4
    assert trace.target == "on the mat"
    assert trace_text(bert(), "the cat").sequences["encoder"].segments == ()


def test_the_hidden_tokens_of_a_masked_model_matter() -> None:
    trace = trace_text(bert(), "the [MASK] sat on [MASK]")
    assert trace.outputs is not None
    assert trace.outputs.kind == "masked"
    assert [trace.tokens[position] for position in trace.outputs.positions] == ["[MASK]", "[MASK]"]
    assert trace.logits.shape == (len(trace.tokens), 97)
    assert trace.outputs.label(4) == "[MASK]"
    assert trace.outputs.label(96) == "<96>"  # the tokenizer has fewer


def test_labels_of_texts_and_of_tokens() -> None:
    names = {0: "calm", 1: "cross", 2: "glad"}
    whole = trace_text(bert("BertForSequenceClassification", id2label=names), "the cat")
    assert whole.outputs is not None
    assert (whole.outputs.kind, whole.outputs.label(2), whole.logits.shape) == ("label", "glad", (1, 3))
    each = trace_text(bert("BertForTokenClassification", id2label=names), "the cat")
    assert each.outputs is not None
    assert (each.outputs.kind, each.outputs.label(0), each.logits.shape) == ("labels", "calm", (4, 3))
    assert trace_text(bert("BertModel"), "the cat").outputs is None
    with pytest.raises(ValueError, match="ends with its residual stream"):
        _ = trace_text(bert("BertModel"), "the cat").logits


def test_source_and_target() -> None:
    model = wrap(BUILD["T5"](), unigram())
    written = trace_text(model, "the cat sat")
    assert written.target_generated
    assert written.source_tokens is not None
    assert written.source_tokens[-1] == "</s>"
    assert written.source_tokens[0].startswith(" ") or written.source_tokens[0] == "the"
    given = trace_text(model, "the cat sat", "on the mat")
    assert not given.target_generated
    assert given.tokens[0] == "<pad>"  # where decoding starts
    assert given.tokens[-1] != "</s>"  # which is predicted, not read
    assert [site.name for site in given.sites[-2:]] == ["decoder.1.self", "decoder.1.cross"]
    cross = given.site("decoder.0.cross")
    assert (cross.queries, cross.keys) == ("decoder", "encoder")
    assert cross.weights(0).shape == (len(given.tokens), len(given.source_tokens or ()))


def test_patches_of_an_image() -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 30:] = 255
    trace = trace_text(vit(), "", image=pixels)
    tokens = trace.sequences["encoder"]
    assert tokens.labels[:3] == ("[CLS]", "0,0", "0,1")
    assert tokens.grid == Grid(3, 3, 1)
    assert trace.image is not None
    assert trace.image.shape == (24, 24, 3)
    assert trace.image[:, :8].max() == 0
    assert trace.image[:, 16:].min() == 255
    assert trace.outputs is not None
    assert trace.outputs.kind == "label"


def test_windows_of_an_image_know_their_patches() -> None:
    trace = trace_text(
        wrap(BUILD["Swin"](), processor=hf.ViTImageProcessorPil(size=32)), "", image=np.zeros((32, 32, 3), np.uint8)
    )
    assert len(trace.sequences["encoder"].labels) == 64
    straight, shifted, last = (
        trace.sequences[trace.site(name).queries]
        for name in ("encoder.0.self.w1", "encoder.1.self.w3", "encoder.3.self.w0")
    )
    assert straight.labels[:5] == ("0,4", "0,5", "0,6", "0,7", "1,4")
    assert shifted.labels[:5] == ("6,6", "6,7", "6,0", "6,1", "7,6")  # the map is rolled by two
    assert last.labels[-1] == "3,3"  # half as many patches a side
    assert straight.grid is not None
    assert (straight.grid.rows, straight.grid.columns, straight.grid.cells[0]) == (8, 8, (0, 4))
    site = trace.site("encoder.1.self.w3")
    rolled = site.weights(0)[0].view(4, 4)  # its first patch may not read over the edge of the image
    assert rolled[:2, :2].sum() > 0.999


def test_an_image_from_a_path_or_a_picture(tmp_path: Path) -> None:
    picture = Image.effect_noise((30, 30), 90)
    picture.save(tmp_path / "noise.png")
    from_path = trace_text(vit(), str(tmp_path / "noise.png"))
    from_picture = trace_text(vit(), "", image=picture)
    assert torch.equal(from_path.sites[0].q, from_picture.sites[0].q)


def test_text_and_image() -> None:
    image = hf.CLIPImageProcessorPil(size={"shortest_edge": 24}, crop_size={"height": 24, "width": 24})
    model = wrap(BUILD["CLIP"](), word_piece(), image)
    trace = trace_text(model, "the cat", image=np.zeros((30, 40, 3), np.uint8))
    assert list(trace.sequences) == ["vision", "text"]
    assert {site.stack for site in trace.sites} == {"text", "vision"}
    assert trace.sequences["vision"].grid == Grid(3, 3, 1)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


def test_generated_text_goes_on_from_the_given() -> None:
    model = gpt2()
    longer = continue_text(model, "the cat", 5)
    assert longer.startswith("the cat")
    trace = trace_generated(model, "the cat", 5)
    assert trace.target_generated
    start = trace_text(model, "the cat").token_ids
    assert trace.token_ids[: len(start)] == start
    assert len(trace.token_ids) == len(start) + 4  # the last one is predicted, not read
    full = gpt2(n_positions=len(start))
    assert continue_text(full, "the cat", 50) == "the cat"  # there is no room
    assert len(trace_generated(gpt2(n_positions=8), "the cat", 50).tokens) <= 8
    with pytest.raises(DoesNotWrite, match="no language model"):
        continue_text(bert(), "the cat", 3)
    with pytest.raises(DoesNotWrite, match="cannot continue a text"):
        trace_generated(bert(), "the cat", 3)


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_nothing_to_read(text: str) -> None:
    with pytest.raises(EmptyText):
        trace_text(gpt2(), text)


def test_nothing_is_left_to_read() -> None:
    with pytest.raises(EmptyText):
        trace_text(bert(), "\u200b\x00")
    assert len(trace_text(bert(), "[MASK]").tokens) == 3


def test_too_much_to_read() -> None:
    assert gpt2().max_len == 64
    with pytest.raises(TextTooLong, match="at most 64") as caught:
        trace_text(gpt2(), "the cat sat. " * 900)
    assert caught.value.details["length"] > 64
    roberta = wrap(BUILD["RoBERTa"](pad_token_id=1), word_piece())
    assert roberta.max_len == 62  # two of its 64 positions are never used
    fits = "the " * 60  # [CLS] and [SEP] around
    assert len(trace_text(roberta, fits).tokens) == 62
    with pytest.raises(TextTooLong):
        trace_text(roberta, fits + "the")


def test_each_model_gets_what_it_reads() -> None:
    with pytest.raises(TargetNotAllowed):
        trace_text(gpt2(), "the", "cat")
    with pytest.raises(ImageNotAllowed):
        trace_text(gpt2(), "the", image=np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ImageNotAllowed):
        attnviz.trace(attnviz.load_model("zoo/sort"), "a b", image=np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ImageNeeded):
        trace_text(vit(), "")
    with pytest.raises(NoTokenizer, match="tokenizer=tokenizer"):
        attnviz.trace(BUILD["GPT-2"](), "the cat")
    with pytest.raises(InputNeeded, match="sound"):
        trace_text(wrap(BUILD["Whisper"](), word_piece()), "the cat")


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.png"
    wrong.write_text("not an image")
    with pytest.raises(ImageUnreadable, match="not an image"):
        trace_text(vit(), str(wrong))
    with pytest.raises(ImageUnreadable, match=r"absent\.png does not exist"):
        trace_text(vit(), str(tmp_path / "absent.png"))
    Image.new("1", (8000, 8000)).save(tmp_path / "large.png")
    with pytest.raises(ImageUnreadable, match="more than 50,000,000 pixels"):
        trace_text(vit(), str(tmp_path / "large.png"))
