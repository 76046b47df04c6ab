"""Every way in that a message names works, and what cannot be read is refused in words of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from torch import Tensor, nn

import attnviz
from attnviz.errors import (
    AttnvizError,
    CannotSample,
    DoesNotWrite,
    EmptyText,
    ImageNeeded,
    ImageUnreadable,
    InputNeeded,
    InputsDoNotFit,
    ModelFailed,
    NoProcessor,
    NoRow,
    NotAModel,
    TargetNeeded,
    TargetNotAllowed,
    TokensOutside,
)
from attnviz.huggingface import trace_generated, trace_inputs, wrap
from attnviz.huggingface.interface import InterfaceCall
from attnviz.huggingface.rules import RulesReader
from attnviz.huggingface.sample import sample
from attnviz.trace import Trace
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level, unigram, word_piece

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
IMAGE = np.linspace(0, 255, 24 * 24 * 3).reshape(24, 24, 3).astype(np.uint8)
SOUND = [architecture.name for architecture in ARCHITECTURES if architecture.kind in ("sound", "sound to text")]


def is_true(trace: Trace) -> bool:
    return bool(trace.sites) and max(entry.max_abs_error for entry in trace.proof()) < 1e-5


def sees() -> Any:
    return hf.ViTImageProcessorPil(size={"height": 24, "width": 24})


@pytest.mark.parametrize(("name", "tokenizer"), [("BART, labels", word_piece), ("T5, labels", unigram)])
def test_labels_of_an_encoder_decoder(name: str, tokenizer: Any) -> None:
    network, words = BUILD[name](), tokenizer()
    trace = attnviz.trace(network, "the cat sat", tokenizer=words)
    own = network(**{k: torch.tensor([v]) for k, v in words("the cat sat").items() if k != "token_type_ids"}).logits
    assert is_true(trace)
    torch.testing.assert_close(trace.logits, own.detach(), atol=1e-5, rtol=1e-5)
    assert trace.outputs is not None
    assert trace.outputs.kind == "label"
    assert trace.token_ids[1:] == (trace.source_ids or ())[:-1]  # its decoder reads the source, one place behind
    with pytest.raises(TargetNotAllowed):
        attnviz.trace(network, "the cat", "the mat", tokenizer=words)
    with pytest.raises(DoesNotWrite):
        attnviz.generate(network, "the cat", tokenizer=words)


@pytest.mark.parametrize(("model", "like"), [(hf.T5Model, "T5"), (hf.BartModel, "BART")])
def test_a_decoder_without_a_head_needs_a_target(model: Any, like: str) -> None:
    network = model(BUILD[like]().config).eval()
    with pytest.raises(TargetNeeded, match="target="):
        attnviz.trace(network, "the cat", tokenizer=word_piece())
    assert is_true(attnviz.trace(network, "the cat", "the mat", tokenizer=word_piece()))


def test_captions_of_images() -> None:
    network = BUILD["ViT to BERT"]()
    model = wrap(network, word_piece(), sees())
    written = attnviz.trace(model, "", image=IMAGE)
    assert written.target_generated
    assert is_true(written)
    assert written.source is not None
    assert written.source.grid is not None
    typed = attnviz.trace(model, "", "the cat", image=IMAGE)
    assert is_true(typed)
    assert not typed.target_generated
    assert typed.tokens[1:] == ("[CLS]", "the", "cat") or "cat" in "".join(typed.tokens)
    own = network(pixel_values=sees()(images=IMAGE, return_tensors="pt")["pixel_values"],
                  decoder_input_ids=torch.tensor([typed.token_ids])).logits[0]  # fmt: skip
    torch.testing.assert_close(typed.logits, own.detach(), atol=1e-5, rtol=1e-5)
    with pytest.raises(ImageNeeded):
        attnviz.trace(model, "")
    with pytest.raises(ImageUnreadable):
        attnviz.trace(model, "the cat")
    with pytest.raises(NoProcessor, match="processor"):
        attnviz.trace(network, "", image=IMAGE, tokenizer=word_piece())


@pytest.fixture
def llava() -> tuple[Any, Any]:
    words = word_piece()
    words.add_special_tokens({"additional_special_tokens": ["<image>"]})
    network = BUILD["LLaVA"](image_token_id=words.convert_tokens_to_ids("<image>"))
    images = hf.CLIPImageProcessorPil(size={"shortest_edge": 24}, crop_size={"height": 24, "width": 24})
    processor = hf.LlavaProcessor(
        images, words, patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1
    )
    return network, processor


def test_a_text_with_an_image_in_it(llava: tuple[Any, Any], tmp_path: Path) -> None:
    network, processor = llava
    model = wrap(network, processor)
    trace = attnviz.trace(model, "the cat sat", image=IMAGE)
    inputs = processor(images=IMAGE, text="<image>the cat sat", return_tensors="pt")
    assert list(trace.token_ids) == inputs["input_ids"][0].tolist()
    assert {site.stack for site in trace.sites} == {"vision", "decoder"}
    assert is_true(trace)
    torch.testing.assert_close(trace.logits, network(**inputs).logits[0].detach(), atol=1e-5, rtol=1e-5)
    assert attnviz.trace(model, "the <image> cat", image=IMAGE).tokens[2] == "<image>"
    assert len(attnviz.trace(model, "the cat sat").sites) == 2  # a text alone
    assert is_true(attnviz.trace_generated(model, "the cat", 3))
    assert is_true(trace_generated(model, dict(inputs), 3))
    with pytest.raises(ModelFailed, match="2 <image> tokens and 1 images"):
        attnviz.trace(model, "<image> <image>", image=IMAGE)
    network.save_pretrained(tmp_path / "llava")
    processor.save_pretrained(tmp_path / "llava")
    opened = attnviz.trace(attnviz.load_model(tmp_path / "llava"), "the cat sat", image=IMAGE)
    torch.testing.assert_close(opened.logits, trace.logits)
    with pytest.raises(NoProcessor):
        attnviz.trace(network, "the cat", image=IMAGE, tokenizer=processor.tokenizer)


@pytest.mark.parametrize("name", ["Whisper", *SOUND])
def test_a_sound_goes_the_way_that_the_message_names(name: str) -> None:
    network = BUILD[name]()
    for ask in (attnviz.trace, attnviz.trace_generated, attnviz.generate):
        with pytest.raises((InputNeeded, DoesNotWrite)):
            ask(network, "the cat", tokenizer=word_piece())  # type: ignore[operator]
    with pytest.raises(InputNeeded, match="trace_inputs"):
        attnviz.trace(network, "the cat", tokenizer=word_piece())
    inputs, _ = sample(network, wrap(network).parameters)
    assert is_true(attnviz.trace_inputs(network, inputs))


BAD: dict[str, tuple[Any, type[AttnvizError]]] = {
    "negative": ({"input_ids": torch.tensor([[-1, 4]])}, TokensOutside),
    "too large": ({"input_ids": torch.tensor([[97]])}, TokensOutside),
    "real numbers": ({"input_ids": torch.rand(1, 4)}, InputsDoNotFit),
    "no batch": ({"input_ids": torch.tensor([4, 5])}, InputsDoNotFit),
    "one number": ({"input_ids": torch.tensor(4)}, InputsDoNotFit),
    "no tokens": ({"input_ids": torch.zeros(1, 0, dtype=torch.long)}, EmptyText),
    "a list": ({"input_ids": [[1, 2]]}, InputsDoNotFit),
    "none": ({"input_ids": None}, InputsDoNotFit),
    "nothing": ({}, InputsDoNotFit),
    "no mapping": ([1], InputsDoNotFit),
    "a text": ("the cat", InputsDoNotFit),
    "another mask": ({"input_ids": torch.tensor([[4, 5]]), "attention_mask": torch.ones(1, 9)}, ModelFailed),
    "too long": ({"input_ids": torch.ones(1, 100, dtype=torch.long)}, AttnvizError),
    "flags": ({"input_ids": torch.ones(1, 3).bool()}, AttnvizError),
    "a mask alone": ({"attention_mask": torch.ones(1, 3)}, ModelFailed),
}


@pytest.mark.parametrize("name", BAD)
def test_inputs_that_do_not_fit(name: str) -> None:
    inputs, error = BAD[name]
    with pytest.raises(error) as caught:
        attnviz.trace_inputs(BUILD["GPT-2"](), inputs)
    assert "attnviz itself" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("row", [1, -1, None, "a", 1.0])
def test_a_row_that_is_not_there(row: Any) -> None:
    with pytest.raises(NoRow):
        attnviz.trace_inputs(BUILD["GPT-2"](), {"input_ids": torch.tensor([[4, 5]])}, row)


@pytest.mark.parametrize("name", ["GPT-2", "BERT", "Llama"])
def test_embeddings_in_place_of_ids(name: str) -> None:
    network = BUILD[name]()
    ids = torch.tensor([[5, 9, 30, 4]])
    embedded = {"inputs_embeds": network.get_input_embeddings()(ids).detach()}
    trace = attnviz.trace_inputs(network, embedded)
    assert len(trace.tokens) == 4
    assert is_true(trace)
    torch.testing.assert_close(trace.logits, network(input_ids=ids).logits[0].detach(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("model", [None, 5, "gpt2", [1], nn.Linear(2, 2)], ids=repr)
def test_what_is_no_model(model: Any) -> None:
    for ask in (attnviz.trace, attnviz.trace_generated, attnviz.generate):
        with pytest.raises(NotAModel):
            ask(model, "the cat")  # type: ignore[operator]
    with pytest.raises(NotAModel):
        attnviz.trace_inputs(model, {})


@pytest.mark.parametrize("image", [5, b"x", object(), np.zeros(3), np.zeros((2, 2, 7), np.uint8), torch.rand(3, 4, 4)])
def test_what_is_no_image(image: Any) -> None:
    with pytest.raises(ImageUnreadable):
        attnviz.trace(wrap(BUILD["ViT"](), None, sees()), "", image=image)


STORED = [
    {"return_dict_in_generate": True},
    {"num_beams": 3, "num_return_sequences": 3},
    {"return_dict_in_generate": True, "output_attentions": True, "output_scores": True, "output_hidden_states": True},
    {"do_sample": True, "top_p": 0.5, "temperature": 2.0},
    {"guidance_scale": 2.0},
    {"penalty_alpha": 0.6, "top_k": 4},
    {"prompt_lookup_num_tokens": 2},
    {"stop_strings": ["the"]},
    {"cache_implementation": "static"},
]


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: next(iter(stored)))
@pytest.mark.parametrize("name", ["GPT-2", "T5"])
def test_how_a_stored_generation_config_would_write(name: str, stored: dict[str, Any]) -> None:
    network = BUILD[name](vocab_size=300)
    words = byte_level()
    plain = attnviz.trace_generated(network, "the cat", 4, tokenizer=words).token_ids
    for key, value in stored.items():
        setattr(network.generation_config, key, value)
    trace = attnviz.trace_generated(network, "the cat", 4, tokenizer=words)
    assert trace.token_ids == plain
    assert is_true(trace)


@pytest.mark.parametrize("name", ["GPT-2", "BERT", "T5", "ViT", "LLaVA"])
def test_outputs_without_names(name: str) -> None:
    network = BUILD[name]()
    inputs, _ = sample(network, wrap(network).parameters)
    before = attnviz.trace_inputs(network, inputs)
    network.config.return_dict = False
    trace = attnviz.trace_inputs(network, inputs)
    assert is_true(trace)
    torch.testing.assert_close(trace.logits, before.logits)
    assert not network.config.return_dict  # as it was


def test_what_nobody_knows_is_learnt_from_its_own_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any, **__: Any) -> Any:
        raise CannotSample("it", "nothing is known of it")

    from attnviz.huggingface import model

    monkeypatch.setattr(model, "sample", nothing)
    network = BUILD["BERT"]()
    with pytest.raises(CannotSample, match="trace_inputs"):
        _ = wrap(network).facts.architecture
    assert is_true(trace_inputs(wrap(network), {"input_ids": torch.tensor([[5, 9, 30]])}))


@pytest.mark.parametrize("biased", [False, True])
def test_a_mask_of_real_numbers_that_differs_by_head(biased: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 2, 3, 4, generator=generator) for _ in range(3))
    mask = torch.randn(1, 2, 3, 3, generator=generator) if biased else torch.zeros(1, 2, 3, 3)
    mask[0, 0, 0, 2] = mask[0, 1, 1, 0] = torch.finfo(torch.float32).min
    call = InterfaceCall(nn.Identity(), lambda: None, q, k, v, mask, {"scaling": 0.5})
    rules = RulesReader().read(call, 0)
    scores: Tensor = 0.5 * q[0] @ k[0].mT + (0 if rules.bias is None else rules.bias)
    own = (0.5 * q @ k.mT + mask).softmax(-1)[0]
    assert rules.mask.open
    torch.testing.assert_close(scores.softmax(-1), own)
