"""Hugging Face models write as transformers' own `generate` does, and what every head computed on the way is true."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import attnviz
from attnviz import edits
from attnviz.errors import DoesNotWrite, NoSuchSite, TextTooLong
from attnviz.huggingface import HuggingFaceModel, wrap
from attnviz.huggingface.steps import Steps
from attnviz.huggingface.writing import write
from attnviz.writing import Plan, Written
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.test_architectures import BY_NAME, WRITERS, given
from tests.huggingface.tokenizers import byte_level, unigram

NEW = 7
SEARCHES = [
    {},
    {"length_penalty": 2.0, "early_stopping": True},
    {"length_penalty": 0.5, "early_stopping": "never"},
    {"length_penalty": -1.0, "early_stopping": "never", "no_repeat_ngram_size": 2},
    {"repetition_penalty": 1.3, "min_new_tokens": 3, "suppress_tokens": [5, 6, 7], "forced_eos_token_id": 2},
]


def prepared(name: str) -> tuple[HuggingFaceModel, dict[str, Tensor]]:
    """A model, and two rows of a text, the second one padded on the left where it is a decoder."""
    model = wrap(BY_NAME[name].build())
    inputs = given(BY_NAME[name], model, "left" if BY_NAME[name].kind == "decoder" else None)
    inputs.pop("decoder_input_ids", None)
    return model, inputs


def own(model: HuggingFaceModel, inputs: dict[str, Tensor], row: int, **how: Any) -> list[int]:
    """Return what transformers writes, without the padding after it."""
    made = model.network.generate(**inputs, do_sample=False, max_new_tokens=NEW, **how)[row].tolist()
    config = model.network.generation_config
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    start = 1 if model.has_decoder else inputs["input_ids"].shape[1]
    stops = [at for at, token in enumerate(made) if at >= start and token in ends]
    return made[: stops[0] + 1] if stops else made


def ids(written: Written) -> list[int]:
    return [*written.token_ids, written.steps[-1].token]


@pytest.mark.parametrize("name", WRITERS)
def test_greedy_and_beams_are_those_of_generate(name: str) -> None:
    model, inputs = prepared(name)
    for plan, how in ((Plan(max_new=NEW), {}), (Plan("beam", beams=3, max_new=NEW), {"num_beams": 3})):
        written = write(model, inputs, plan, row=1)
        assert ids(written) == own(model, inputs, 1, **how)
        assert max(entry.max_abs_error for entry in written.proof()) < 1e-5


@pytest.mark.parametrize("config", SEARCHES)
@pytest.mark.parametrize("name", ["GPT-2", "BART"])
def test_a_search_keeps_to_the_models_own_rules(name: str, config: dict[str, Any]) -> None:
    model, inputs = prepared(name)
    model.network.generation_config.update(**config, eos_token_id=list(range(2, 60, 3)))
    for row, beams in ((0, 1), (1, 2), (0, 4)):
        plan = Plan(max_new=NEW) if beams == 1 else Plan("beam", beams=beams, max_new=NEW)
        assert ids(write(model, inputs, plan, row=row)) == own(model, inputs, row, num_beams=beams)


@pytest.mark.parametrize("name", ["GPT-2", "T5"])
def test_draws_are_from_the_distribution_of_transformers(name: str) -> None:
    model, inputs = prepared(name)
    model.network.generation_config.update(repetition_penalty=1.2)
    plan = Plan("sample", temperature=0.7, top_k=30, top_p=0.8, seed=3, max_new=NEW)
    written = write(model, inputs, plan)
    assert written.steps[0].stages == ("model", "rules", "temperature", "top_k", "top_p")
    first = len(written.token_ids) - len(written.steps) + 1
    for at, step in enumerate(written.steps):
        so_far = torch.tensor([ids(written)[: first + at]])
        begun = {"decoder_input_ids": so_far} if model.has_decoder else {"input_ids": so_far}
        rest = {k: v[:1] for k, v in inputs.items() if model.has_decoder}
        drawn = {"do_sample": True, "temperature": 0.7, "top_k": 30, "top_p": 0.8, "max_new_tokens": 1}
        told = {"output_scores": True, "return_dict_in_generate": True}
        probabilities = model.network.generate(**rest, **begun, **drawn, **told).scores[0][0].softmax(-1)
        assert int((probabilities > 0).sum()) == step.kept[-1]
        for candidate in step.candidates:
            assert candidate.probabilities[-1] == pytest.approx(float(probabilities[candidate.token]), abs=1e-6)
        assert float(probabilities[step.token]) > 0


@pytest.mark.parametrize("name", ["GPT-2", "Gemma 3", "Llama", "OPT", "BART", "T5"])
def test_edits_stay_in_force_step_by_step(name: str) -> None:
    """The cache gives under edits what one pass over the whole text gives under them."""
    model, inputs = prepared(name)
    source = write(model, inputs, Plan(max_new=NEW), row=0)
    changes = [
        edits.head_off("decoder.0.self", 1, "running_mean"),
        edits.cut("decoder.1.self", query=6, key=2),
        edits.temperature("decoder.1.self", 2, 0.5),
        edits.set_weights("decoder.0.self", 3, "uniform"),
        edits.patch("decoder.1.self", 0, [1, 3], source),
        edits.patch_stream(0, [0, 4], source, stack="decoder"),
    ]
    changes += [edits.head_off("encoder.0.self", 0), edits.cut("decoder.1.cross", key=3)] * model.has_decoder
    late = edits.cut("decoder.0.self", key=60)
    for plan in (Plan(max_new=NEW), Plan("beam", beams=2, max_new=NEW)):
        written = write(model, inputs, plan, [*changes, late], row=0)
        assert (len(written.edits), len(written.unreached)) == (len(changes), 1)
        assert max(entry.max_abs_error for entry in written.proof()) < 1e-5
        if plan.strategy == "greedy":
            assert written.logits[written.first :].argmax(-1).tolist() == [step.token for step in written.steps]
    assert ids(write(model, inputs, Plan(max_new=NEW))) == ids(source)
    with pytest.raises(NoSuchSite):
        write(model, inputs, Plan(), [edits.head_off("decoder.9.self", 0)])


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "T5"])
def test_a_model_writes_without_positions(name: str) -> None:
    """A table, a rotation and a bias by distance are left out at every step, as one pass leaves them out."""
    model, inputs = prepared(name)
    written = write(model, inputs, Plan(max_new=NEW), [edits.no_positions()], row=0)
    assert max(entry.max_abs_error for entry in written.proof()) < 1e-5
    assert written.logits[written.first :].argmax(-1).tolist() == [step.token for step in written.steps]
    assert not any(site.rotary for site in written.sites)
    plain = write(model, inputs, Plan(max_new=NEW), row=0)
    assert not torch.allclose(written.logits[written.first], plain.logits[plain.first], atol=1e-3)


@pytest.mark.parametrize("name", ["T5", "BART", "Marian"])
def test_a_target_that_was_begun_is_gone_on_with(name: str) -> None:
    tokenizer = unigram()
    network = BY_NAME[name].build(vocab_size=len(tokenizer))
    model = wrap(network, tokenizer)
    began = attnviz.trace(model, "the cat sat", "the mat").token_ids
    for beams in (None, 2):
        written = attnviz.write(model, "the cat sat", "the mat", max_new=4, beams=beams)
        given = dict(tokenizer("the cat sat", return_tensors="pt"), decoder_input_ids=torch.tensor([began]))
        made = network.generate(**given, do_sample=False, max_new_tokens=4, num_beams=beams or 1)[0].tolist()
        assert ids(written) == made[: len(ids(written))]
        assert written.first == len(began) - 1
        assert (written.prompt, written.whole) == ("the mat", f"the mat{written.continuation}")
        assert max(entry.max_abs_error for entry in written.proof()) < 1e-5
    if model.max_len is not None:
        with pytest.raises(TextTooLong):
            attnviz.write(model, "the cat sat", "the mat " * 100)


def test_memory_grows_with_the_tokens_and_not_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs = prepared("GPT-2")
    made: list[Steps] = []

    def steps(*args: Any, **kwargs: Any) -> Steps:
        made.append(Steps(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr("attnviz.huggingface.writing.Steps", steps)
    for new in (10, 20, 40):
        write(model, inputs, Plan(max_new=new))
    read = [inputs["input_ids"].shape[1] + len(steps._moves) for steps in made]
    assert [steps.nbytes for steps in made] == [n * 2 * 3 * 48 * 4 for n in read]  # tokens, layers, q k v, width, bytes


def chatting() -> Any:
    tokenizer = byte_level(("user: the cat sat bot: on the mat",))
    tokenizer.chat_template = "{{ bos_token }}user: {{ messages[0]['content'] }} bot:"
    return tokenizer


def test_a_chat_model_reads_its_template_and_says_so() -> None:
    tokenizer = chatting()
    network = BY_NAME["GPT-2"].build(vocab_size=len(tokenizer))
    written = attnviz.write(network, "the cat", tokenizer=tokenizer, max_new=3)
    assert written.templated
    assert written.prompt == "<s>user: the cat bot:"
    assert written.tokens[0] == "<s>"
    assert not written.doubled
    plain = attnviz.write(network, "the cat", tokenizer=tokenizer, max_new=3, template=False)
    assert (plain.templated, plain.prompt) == (False, "the cat")
    assert plain.whole == f"the cat{plain.continuation}"
    assert attnviz.write(network, "<s><s>the cat", tokenizer=tokenizer, template=False).doubled == "<s>"


def test_a_text_is_what_generate_writes_and_an_encoder_says_that_it_does_not() -> None:
    tokenizer = byte_level()
    network = BY_NAME["Llama"].build(vocab_size=len(tokenizer))
    written = attnviz.write(network, "the cat", tokenizer=tokenizer, max_new=5)
    assert written.whole == attnviz.generate(network, "the cat", tokenizer=tokenizer, max_new=5)
    with pytest.raises(DoesNotWrite):
        attnviz.write(BY_NAME["BERT"].build(vocab_size=len(tokenizer)), "the cat", tokenizer=tokenizer)
    assert len(ARCHITECTURES) > len(WRITERS) > 20
