"""Every token bears its own name, and there are as many names as tokens that were read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

import attnviz
from attnviz.errors import TokensDoNotFit
from attnviz.huggingface import HuggingFaceModel, trace_generated, trace_inputs, trace_text, wrap
from attnviz.huggingface.labels import label_of
from attnviz.huggingface.sample import sample
from attnviz.trace import Trace
from tests.huggingface.architectures import ARCHITECTURES, GROUPED, SEES, T5, TWO_STACKS
from tests.huggingface.tokenizers import unigram, word_piece

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
REST = {key: value for key, value in SEES.items() if key != "intermediate_size"}
PATCHES = [f"{row},{column}" for row in range(3) for column in range(3)]


def look(name: str, config: str, **values: Any) -> Trace:
    torch.manual_seed(0)
    model = wrap(getattr(hf, name)(getattr(hf, config)(**values)).eval())
    return trace_inputs(model, sample(model.network, model.parameters)[0])


def byte_fallback() -> Any:
    """As Llama's: pieces, and a token for each byte of what has none."""
    pieces = [("<unk>", 0.0), *((f"<0x{byte:02X}>", -9.0) for byte in range(256)), ("▁a", -1.0), ("a", -2.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


def test_a_byte_is_named_by_its_number_or_its_character() -> None:
    tokenizer = byte_fallback()
    ids = tokenizer("a中\n")["input_ids"]
    assert [label_of(tokenizer, index) for index in ids] == ["a", "\\xe4", "\\xb8", "\\xad", "\n"]
    assert label_of(tokenizer, tokenizer.convert_tokens_to_ids("<0x41>")) == "A"


@pytest.mark.parametrize(
    ("model", "config", "values", "names"),
    [
        ("ViTForImageClassification", "ViTConfig", SEES, ["[CLS]", *PATCHES]),
        ("DeiTForImageClassification", "DeiTConfig", SEES, ["[CLS]", "[DISTILL]", *PATCHES]),
        (
            "Dinov2WithRegistersForImageClassification",
            "Dinov2WithRegistersConfig",
            {**REST, "num_register_tokens": 3},
            ["[CLS]", "[REG1]", "[REG2]", "[REG3]", *PATCHES],
        ),
        ("DINOv3ViTModel", "DINOv3ViTConfig", {**SEES, "num_register_tokens": 1}, ["[CLS]", "[REG1]", *PATCHES]),
        ("BeitForImageClassification", "BeitConfig", SEES, ["[CLS]", *PATCHES]),
        ("ViTMSNForImageClassification", "ViTMSNConfig", SEES, ["[CLS]", *PATCHES]),
        ("IJepaForImageClassification", "IJepaConfig", SEES, PATCHES),
        (
            "YolosForObjectDetection",
            "YolosConfig",
            {**SEES, "image_size": [24, 24], "num_detection_tokens": 2},
            ["[CLS]", *PATCHES, "[DET1]", "[DET2]"],
        ),
        ("CLIPVisionModel", "CLIPVisionConfig", SEES, ["[CLS]", *PATCHES]),
    ],
)
def test_special_tokens_of_image_models(model: str, config: str, values: dict[str, Any], names: list[str]) -> None:
    tokens = look(model, config, **values).sequences["encoder"]
    assert list(tokens.labels) == names
    assert [names[place] for place in tokens.specials] == [name for name in names if name.startswith("[")]


def test_shuffled_patches_are_named_by_their_place() -> None:
    values = {
        **SEES,
        "decoder_num_hidden_layers": 1,
        "decoder_hidden_size": 32,
        "decoder_num_attention_heads": 2,
        "decoder_intermediate_size": 32,
        "mask_ratio": 0.5,
    }
    torch.manual_seed(0)
    network = hf.ViTMAEForPreTraining(hf.ViTMAEConfig(**values)).eval()
    inputs = sample(network, wrap(network).parameters)[0]
    trace = trace_inputs(wrap(network), inputs)
    encoder, decoder = trace.sequences["encoder"].labels, trace.sequences["decoder"].labels
    assert decoder == ("[CLS]", *PATCHES)
    assert len(encoder) == 5
    assert set(encoder[1:]) < set(PATCHES)
    assert encoder[1:] != tuple(PATCHES[:4])
    x = trace.inputs("encoder.0.self")
    assert x is not None
    with torch.inference_mode():  # what stands at each place, without its neighbours
        embeddings = network.vit.embeddings
        plain = embeddings.patch_embeddings(inputs["pixel_values"]) + embeddings.position_embeddings[:, 1:]
        normed = next(m for n, m in network.vit.named_modules() if n.endswith("0.layernorm_before"))(plain)[0]
    rows = [int(label[0]) * 3 + int(label[2]) for label in encoder[1:]]
    torch.testing.assert_close(x.x[1:], normed[rows], atol=1e-5, rtol=1e-5)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


def test_layers_that_attend_twice_are_one_layer_each() -> None:
    trace = look("DiffLlamaForCausalLM", "DiffLlamaConfig", **GROUPED)
    assert [(site.layer, site.part) for site in trace.sites] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len({site.name for site in trace.sites}) == 4
    assert trace.find(1, part=1) is trace.sites[3]
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
    assert trace.inputs(trace.sites[1].name) is not None


def test_a_layer_that_runs_twice_is_two_layers() -> None:
    trace = trace_inputs(wrap(BUILD["ALBERT"]()), {"input_ids": torch.tensor([[5, 6, 7]])})
    assert [(site.layer, site.part) for site in trace.sites] == [(0, None), (1, None)]


def whisper(**generation: Any) -> HuggingFaceModel:
    network = BUILD["Whisper"]()
    for name, value in {"eos_token_id": None, "forced_eos_token_id": None, **generation}.items():
        setattr(network.generation_config, name, value)
    return wrap(network)


SOUND = {"input_features": torch.linspace(-1, 1, 8 * 26).view(1, 8, 26)}
LANGUAGES: dict[str, Any] = {
    "is_multilingual": True,
    "lang_to_id": {"<|en|>": 10, "<|de|>": 11},
    "task_to_id": {"transcribe": 12, "translate": 13},
    "no_timestamps_token_id": 14,
}


@pytest.mark.parametrize(
    ("generation", "prompt"), [({}, [3]), ({**LANGUAGES, "language": "en", "task": "transcribe"}, [3, 10, 12, 14])]
)
def test_what_a_sound_model_is_prompted_with_is_read_too(generation: dict[str, Any], prompt: list[int]) -> None:
    trace = trace_generated(whisper(**generation), SOUND, 4)
    assert list(trace.token_ids[: len(prompt)]) == prompt
    assert len(trace.token_ids) == len(prompt) + 3  # the last one is predicted
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


def test_a_model_that_first_finds_out_the_language() -> None:
    trace = trace_generated(whisper(**LANGUAGES, task="transcribe"), SOUND, 4)
    assert trace.token_ids[0] == 3
    assert trace.token_ids[2:4] == (12, 14)
    assert trace.token_ids[1] in (10, 11)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


def test_names_that_do_not_fit_are_refused() -> None:
    trace = trace_inputs(
        wrap(BUILD["T5"]()), {"input_ids": torch.tensor([[5, 6]]), "decoder_input_ids": torch.tensor([[0]])}
    )
    one = replace(trace.sequences["encoder"], labels=("a",))
    with pytest.raises(TokensDoNotFit, match="read 2 tokens of its encoder, but the names of 1 are known"):
        replace(trace, sequences={**trace.sequences, "encoder": one})
    own = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e")
    with pytest.raises(TokensDoNotFit, match="reverse cannot be shown"):
        replace(own, sequences={})


def multilingual(before: tuple[int, ...], behind: tuple[int, ...]) -> Any:
    """Words as numbers; a target is surrounded by special tokens."""
    tokenizer = word_piece()
    own = type(tokenizer).__call__

    class Multilingual(type(tokenizer)):  # type: ignore[misc]
        def __call__(self, text: Any = None, *args: Any, text_target: str | None = None, **kwargs: Any) -> Any:
            if text_target is None:
                return own(self, text, *args, **kwargs)
            ids = own(self, text_target, add_special_tokens=False)["input_ids"]
            return {"input_ids": [*before, *ids, *behind]}

    tokenizer.__class__ = Multilingual
    return tokenizer


@pytest.mark.parametrize(
    ("model", "config", "before", "behind", "start", "first"),
    [
        ("MBartForConditionalGeneration", "MBartConfig", (), (3, 4), 4, [4]),  # </s> and a language behind
        ("M2M100ForConditionalGeneration", "M2M100Config", (4,), (3,), 3, [3, 4]),  # a language before
        ("BartForConditionalGeneration", "BartConfig", (2,), (3,), 3, [3, 2]),
        ("MarianMTModel", "MarianConfig", (), (3,), 0, [0]),
        ("BlenderbotForConditionalGeneration", "BlenderbotConfig", (), (3,), 2, [2]),
        ("PLBartForConditionalGeneration", "PLBartConfig", (), (3, 4), 4, [4]),
    ],
)
def test_what_a_decoder_reads_of_a_target(
    model: str, config: str, before: tuple[int, ...], behind: tuple[int, ...], start: int, first: list[int]
) -> None:
    values = {**TWO_STACKS, "eos_token_id": 3, "bos_token_id": 2, "decoder_start_token_id": start}
    network = getattr(hf, model)(getattr(hf, config)(**values)).eval()
    tokenizer = multilingual(before, behind)
    words = tokenizer("on the mat", add_special_tokens=False)["input_ids"]
    trace = trace_text(wrap(network, tokenizer), "the cat", "on the mat")
    expected = [*first, *words, *behind[:-1]]
    assert list(trace.token_ids) == expected
    if hasattr(network, "prepare_decoder_input_ids_from_labels"):
        labels = torch.tensor([[*before, *words, *behind]])
        assert network.prepare_decoder_input_ids_from_labels(labels=labels)[0].tolist() == expected


def test_a_target_whose_tokenizer_puts_nothing_behind_it_is_read_whole() -> None:
    tokenizer = multilingual((), ())
    words = tokenizer("on the mat", add_special_tokens=False)["input_ids"]
    network = hf.T5ForConditionalGeneration(hf.T5Config(**{**T5, "eos_token_id": 3})).eval()
    trace = trace_text(wrap(network, tokenizer), "the cat", "on the mat")
    assert list(trace.token_ids) == [0, *words]


@pytest.mark.parametrize("where", ["config", "generation_config"])
def test_one_of_several_end_tokens_is_predicted_not_read(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = BUILD["T5"]()
    network.config.eos_token_id = None
    network.generation_config.eos_token_id = None
    getattr(network, where).eos_token_id = [1, 9]
    model = wrap(network, unigram())
    assert model.ends == (1, 9)
    monkeypatch.setattr(HuggingFaceModel, "write", lambda self, inputs, most: torch.tensor([[0, 5, 6, 9]]))
    assert trace_text(model, "the cat").token_ids == (0, 5, 6)
