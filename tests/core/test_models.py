"""Transformers from configs: what they compute, what they refuse, and that a folder gives them back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from attnviz.errors import ConfigError, DoesNotWrite, ModelCorrupt, ModelMismatch, ModelNotFound, TextTooLong
from attnviz.models import ModelCard, ModelConfig, SequenceModel, build_network, generate, load_model, save_model
from tests.refused import refused

Make = Callable[..., SequenceModel]
KINDS = [
    ("encoder", {}),
    ("decoder", {"positions": "rotary", "d_ff": 0}),
    ("decoder", {"norm": "post", "positions": "sinusoidal", "window": 3}),
    ("decoder", {"n_kv_heads": 2, "positions": "none"}),
    ("decoder", {"n_kv_heads": 1, "scoring": "dot", "init_std": 0.3}),
    ("encoder-decoder", {"positions": "rotary", "n_kv_heads": 2}),
    ("encoder-decoder", {"norm": "post"}),
]


def run(model: SequenceModel, tokens: torch.Tensor, **kwargs: torch.Tensor) -> torch.Tensor:
    source = None
    if model.source_tokenizer is not None:
        source = torch.randint(3, 9, (len(tokens), 7), generator=torch.Generator().manual_seed(5))
    return model.network(tokens, source, **kwargs)


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_logits_have_their_shape_and_the_seed_decides_the_weights(
    make_model: Make, architecture: str, changes: dict[str, object]
) -> None:
    model = make_model(architecture, **changes)
    tokens = torch.randint(3, 11, (2, 5), generator=torch.Generator().manual_seed(0))
    logits = run(model, tokens)
    assert logits.shape == (2, 5, 11)
    same = build_network(model.config, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(model.network.parameters(), same.parameters(), strict=True))
    other = build_network(model.config, seed=1)
    assert any(not torch.equal(a, b) for a, b in zip(model.network.parameters(), other.parameters(), strict=True))


def test_building_leaves_the_global_generator_alone(make_model: Make) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    make_model()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
def test_a_decoder_does_not_see_the_future(make_model: Make, architecture: str) -> None:
    model = make_model(architecture)
    tokens = torch.tensor([[1, 3, 4, 5, 6]])
    changed = torch.tensor([[1, 3, 4, 9, 10]])
    before, after = run(model, tokens), run(model, changed)
    torch.testing.assert_close(before[:, :3], after[:, :3], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(before[:, 3:], after[:, 3:], atol=1e-3)


def test_an_encoder_sees_everything(make_model: Make) -> None:
    model = make_model("encoder")
    assert not torch.allclose(run(model, torch.tensor([[3, 4, 5]]))[0, 0], run(model, torch.tensor([[3, 4, 9]]))[0, 0])


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_padding_changes_nothing_for_real_tokens(
    make_model: Make, architecture: str, changes: dict[str, object]
) -> None:
    model = make_model(architecture, **changes)
    tokens = torch.tensor([[3, 4, 5, 0, 0]])
    padded = run(model, tokens, padding=tokens != 0)
    torch.testing.assert_close(padded[:, :3], run(model, tokens[:, :3]), atol=1e-5, rtol=1e-4)


def test_padding_of_the_source_changes_nothing(make_model: Make) -> None:
    network = make_model("encoder-decoder").network
    tokens, source = torch.tensor([[1, 3, 4]]), torch.tensor([[3, 4, 5, 0, 0]])
    padded = network(tokens, source, source_padding=source != 0)
    torch.testing.assert_close(padded, network(tokens, source[:, :3]), atol=1e-5, rtol=1e-4)


def test_a_source_that_is_encoded_already_is_read_the_same(make_model: Make) -> None:
    network = make_model("encoder-decoder").network
    tokens, source = torch.tensor([[1, 3, 4]]), torch.tensor([[3, 4, 5]])
    assert torch.equal(network(tokens, source, encoded=network.encode(source)), network(tokens, source))


def test_without_positions_an_encoder_reads_a_set(make_model: Make) -> None:
    network = make_model("encoder", positions="none").network
    logits, swapped = network(torch.tensor([[3, 4, 5]])), network(torch.tensor([[5, 4, 3]]))
    torch.testing.assert_close(logits.flip(1), swapped, atol=1e-5, rtol=1e-4)


def test_grouped_heads_equal_separate_heads_with_repeated_weights(make_model: Make) -> None:
    grouped = make_model(n_kv_heads=2, n_layers=1).network
    separate = make_model(n_layers=1).network
    state = grouped.state_dict()
    for name in list(state):
        if "project_in" in name:
            q, k, v = state[name].split([24, 12, 12])  # 4 heads x 6, 2 groups x 6 twice
            k, v = (t.unflatten(0, (2, 6)).repeat_interleave(2, dim=0).flatten(0, 1) for t in (k, v))
            state[name] = torch.cat([q, k, v])
    separate.load_state_dict(state)
    tokens = torch.tensor([[1, 3, 4, 5]])
    torch.testing.assert_close(grouped(tokens), separate(tokens), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"d_model": 50}, "d_model is 50; it must be a multiple of n_heads, for example 48"),
        ({"n_kv_heads": 3}, "n_kv_heads is 3; it must be a divisor of n_heads"),
        ({"positions": "rotary", "d_model": 20}, "d_head = d_model / n_heads is 5; it must be even"),
        ({"positions": "sinusoidal", "d_model": 9, "n_heads": 3}, "d_model is 9; it must be even"),
        ({"positions": "absolute"}, "choose one of 'none', 'sinusoidal', 'learned', 'rotary'"),
        ({"n_layers": 0}, "n_layers is 0; it must be a whole number from 1 to 256"),
        ({"n_layers": True}, "n_layers is True"),
        ({"max_len": 2.5}, "max_len is 2.5"),
        ({"window": 0}, "window is 0"),
        ({"d_ff": -1}, "d_ff is -1"),
        ({"dropout": 1.0}, "dropout is 1;"),
        ({"embedding_std": 0.0}, "must be above 0"),
        ({"source_max_len": 5}, "for an encoder-decoder"),
    ],
)
def test_impossible_configs_say_what_to_change(make_model: Make, changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace("(", r"\(").replace("/", "/")):
        make_model(**changes)


def test_an_encoder_decoder_needs_a_source() -> None:
    with pytest.raises(ConfigError, match="for an encoder-decoder"):
        ModelConfig("encoder-decoder", 11, 13)


def test_forward_refuses_a_wrong_source_and_too_many_tokens(make_model: Make) -> None:
    with pytest.raises(ValueError, match="source belongs to encoder-decoders alone"):
        make_model().network(torch.tensor([[3]]), torch.tensor([[3]]))
    with pytest.raises(ValueError, match="14 tokens given, at most 13 fit"):
        make_model().network(torch.full((1, 14), 3))


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_a_folder_gives_the_model_back(
    make_model: Make, architecture: str, changes: dict[str, object], tmp_path: Path
) -> None:
    model = make_model(architecture, **changes)
    card = ModelCard("mine", "Mine", examples=("a b", ("a", "b")))
    folder = save_model(SequenceModel(model.network, model.tokenizer, card, model.source_tokenizer), tmp_path / "mine")
    loaded = load_model(folder)
    assert (loaded.config, loaded.card, loaded.tokenizer) == (model.config, card, model.tokenizer)
    tokens = torch.tensor([[1, 3, 4]])
    assert torch.equal(run(loaded, tokens), run(model, tokens))
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_wrong_folders_say_what_is_wrong(make_model: Make, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="the folder not found"):
        load_model(tmp_path / "nothing")
    folder = save_model(make_model(), tmp_path / "model")
    weights, config = folder / "model.safetensors", folder / "config.json"
    good_weights, good_config = weights.read_bytes(), config.read_text()

    weights.write_bytes(good_weights[:100])
    with pytest.raises(ModelCorrupt, match=r"model\.safetensors cannot be read"):
        load_model(folder)
    tensors = load_file(save_model(make_model(), tmp_path / "other") / "model.safetensors")
    save_file({name: t for name, t in tensors.items() if name != "unembedding.bias"}, weights)
    with pytest.raises(ModelMismatch, match=r"unembedding\.bias should be \(11,\) and is –"):
        load_model(folder)
    weights.unlink()
    with pytest.raises(ModelNotFound, match=r"model\.safetensors not found"):
        load_model(folder)
    weights.write_bytes(good_weights)

    for text in ("", "{", "[]", '{"format": 1}', "\x00"):
        config.write_text(text)
        with pytest.raises(ModelCorrupt, match=r"config\.json cannot be read"):
            load_model(folder)
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelCorrupt, match=r"config\.json cannot be read"):
        load_model(folder)
    values = json.loads(good_config)
    for change, words in (
        ({"format": 99}, "its format is 99"),
        ({"model": {**values["model"], "d_model": 25}}, "d_model is 25"),
        ({"model": {**values["model"], "extra": 1}}, "Unknown: 'extra'"),
        ({"model": {**values["model"], "vocab_size": 12}}, "tokenizer has 11 symbols, the model 12"),
        ({"tokenizer": {"kind": "symbols"}}, "symbols"),
        ({"card": {"nonsense": 1}}, "nonsense"),
        ({"source_tokenizer": values["tokenizer"]}, "source tokenizer"),
    ):
        config.write_text(json.dumps(values | change))
        with pytest.raises(ModelCorrupt, match=words):
            load_model(folder)


def test_a_block_equals_pytorchs_encoder_layer(make_model: Make) -> None:
    network = make_model("encoder", norm="post", n_layers=1, positions="none").network
    assert network.encoder is not None
    (block,) = network.encoder.blocks
    oracle = nn.TransformerEncoderLayer(24, 4, 29, dropout=0.0, activation="gelu", batch_first=True).eval()
    names = {
        "self_attn.in_proj_": "attention.project_in.",
        "self_attn.out_proj.": "attention.project_out.",
        "linear1.": "feed_forward.0.",
        "linear2.": "feed_forward.2.",
        "norm1.": "attention_norm.",
        "norm2.": "feed_forward_norm.",
    }
    ours = block.state_dict()
    state = {}
    for name in oracle.state_dict():
        prefix = next(prefix for prefix in names if name.startswith(prefix))
        state[name] = ours[names[prefix] + name.removeprefix(prefix)]
    oracle.load_state_dict(state)
    tokens = torch.tensor([[3, 4, 5, 6, 7]])
    expected = oracle(network.encoder.embedding(tokens))
    torch.testing.assert_close(network.stream(tokens), expected, atol=1e-5, rtol=1e-4)


def test_greedy_continuation_is_the_argmax_of_each_step(make_model: Make) -> None:
    model = make_model()
    text = generate(model, "a b", max_new=3)
    ids = [model.tokenizer.bos_id, *model.tokenizer.encode_symbols(text.split())]
    logits = model.network(torch.tensor([ids]))[0]
    for position in range(2, len(ids) - 1):
        assert int(logits[position].argmax()) == ids[position + 1]
    assert text.startswith("a b")
    assert len(ids) <= 6


def test_generation_stops_at_the_models_limit_and_refuses_what_does_not_fit(make_model: Make) -> None:
    model = make_model()
    assert len(generate(model, "a").split()) <= 12
    with refused(TextTooLong(14, 13)):
        generate(model, "a " * 13)
    with pytest.raises(DoesNotWrite, match="no language model"):
        generate(make_model("encoder"), "a")
