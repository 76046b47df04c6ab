"""Our own models write: greedily as ever, by draws that a seed repeats, and by a search that misses nothing."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import attnviz
from attnviz import edits
from attnviz.errors import DoesNotWrite, EditMisfit, NoSuchPosition, PlanMisfit, TextTooLong, WritesNumbers
from attnviz.models import ModelCard, ModelConfig, RecurrentConfig, SequenceModel, build_network
from attnviz.tokenizers import Tokenizer

LETTERS = Tokenizer("symbols", tuple("abcd"), add_bos=True)
SHARED = {"vocab_size": LETTERS.vocab_size, "max_len": 24}
BOTH = {"source_vocab_size": LETTERS.vocab_size, "source_max_len": 12}
NETWORKS = {
    "Transformer": ModelConfig("decoder", n_layers=2, n_heads=2, **SHARED),
    "window": ModelConfig("decoder", n_layers=2, n_heads=2, positions="rotary", window=3, **SHARED),
    "both": ModelConfig("encoder-decoder", n_layers=1, n_heads=2, **SHARED, **BOTH),
    "LSTM": RecurrentConfig("decoder", cell="lstm", attention="dot", **SHARED),
    "Bahdanau": RecurrentConfig("encoder-decoder", cell="gru", attention="additive", **SHARED, **BOTH),
}


def made(name: str) -> SequenceModel:
    config = NETWORKS[name]
    network = build_network(config, seed=1)
    for parameter in network.parameters():  # far from uniform
        parameter.data.mul_(2.5)
    both = config.architecture == "encoder-decoder"
    return SequenceModel(
        network.eval().requires_grad_(False), LETTERS, ModelCard(name, name), LETTERS if both else None
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_greedy_writing_is_what_generate_writes(name: str) -> None:
    model = made(name)
    written = attnviz.write(model, "a b c", max_new=9)
    assert written.whole == attnviz.generate(model, "a b c", max_new=9)
    assert max((entry.max_abs_error for entry in written.proof()), default=0) < 1e-5
    assert [step.choice for step in written.steps] == [step.token for step in written.steps]
    for at, step in enumerate(written.steps):
        own = dict(
            zip(step.stages, next(c for c in step.candidates if c.token == step.token).probabilities, strict=True)
        )
        assert own["model"] == pytest.approx(
            float(written.logits[written.first + at].softmax(-1)[step.token]), abs=1e-5
        )


def score(model: SequenceModel, prompt: list[int], tokens: tuple[int, ...]) -> float:
    """The sum of the log-probabilities of tokens after a prompt."""
    logits = model.network(torch.tensor([[*prompt, *tokens]]))[0].log_softmax(-1)
    return sum(float(logits[len(prompt) - 1 + at, token]) for at, token in enumerate(tokens))


def test_a_search_over_enough_beams_finds_the_most_probable_text() -> None:
    model, n = made("Transformer"), 2
    prompt = LETTERS.encode("a b")
    letters = range(LETTERS.n_specials, LETTERS.vocab_size)
    endings = [
        (*head, last) for k in range(n) for head in product(letters, repeat=k) for last in range(LETTERS.n_specials)
    ]
    endings += list(product(letters, repeat=n))
    best = max(endings, key=lambda tokens: score(model, prompt, tokens) / len(tokens))
    written = attnviz.write(model, "a b", beams=16, max_new=n)
    assert tuple(step.token for step in written.steps) == best
    chosen = [written.beams[at][index] for at, index in enumerate(written.path)]
    assert tuple(beam.token for beam in chosen) == best
    assert chosen[-1].ended
    assert chosen[-1].score == pytest.approx(score(model, prompt, best) / len(best), abs=1e-4)
    for before, beams in zip(written.beams, written.beams[1:], strict=False):
        assert all(not before[beam.parent].ended for beam in beams)


def test_a_seed_repeats_a_text_and_leaves_the_global_generator_alone() -> None:
    model, state = made("LSTM"), torch.get_rng_state()
    texts = [attnviz.write(model, "a", temperature=1.5, seed=seed, max_new=12).whole for seed in (1, 2, 1)]
    assert texts[0] == texts[2] != texts[1]
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("beams", [None, 3])
def test_another_token_can_be_taken(beams: int | None) -> None:
    model = made("Transformer")
    written = attnviz.write(model, "a b", beams=beams, max_new=8)
    other = next(c.token for c in written.steps[1].candidates if c.token not in (written.steps[1].token, 0, 1, 2))
    again = attnviz.write(model, "a b", plan=written.take(1, other))
    assert [step.token for step in again.steps[:2]] == [written.steps[0].token, other]
    assert beams or [step.taken for step in again.steps[:2]] == [False, True]
    with pytest.raises(NoSuchPosition):
        written.take(len(written.steps), 4)
    with pytest.raises(PlanMisfit, match="no token 99"):
        attnviz.write(model, "a b", taken=[99], beams=beams)


def test_edits_stay_in_force() -> None:
    model = made("Transformer")
    changes = [edits.head_off("decoder.0.self", 1, "running_mean"), edits.cut("decoder.1.self", key=5)]
    late = edits.cut("decoder.1.self", key=20)
    written = attnviz.write(model, "a b", max_new=9, taken=[3, 4, 5, 6, 3], edits=[*changes, late])
    assert written.edits == tuple(changes)
    assert len(written.unreached) == 1
    assert max(entry.max_abs_error for entry in written.proof()) < 1e-5
    assert float(written.site("decoder.1.self").weights(0)[:, 5].abs().max()) == 0
    assert written.logits[written.first :].argmax(-1).tolist() == [step.choice for step in written.steps]
    with pytest.raises(EditMisfit, match="not written yet"):
        attnviz.write(model, "a b", edits=[edits.no_mask("decoder.0.self")])
    with pytest.raises(EditMisfit, match="uniform"):
        attnviz.write(model, "a b", edits=[edits.set_weights("decoder.0.self", 0, torch.eye(3))])


def test_what_does_not_write_says_so() -> None:
    with pytest.raises(DoesNotWrite):
        attnviz.write(attnviz.load_model("zoo/reverse"), "a b")
    with pytest.raises(WritesNumbers):
        attnviz.write(attnviz.load_model("zoo/series"), "1 2 3")
    with pytest.raises(TextTooLong):
        attnviz.write(made("LSTM"), " ".join("a" * 23))
