"""What a model ends with is named rightly, or it is said that it is not shown."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers as hf

from attnviz import figures
from attnviz.cli.outputs import answer_lines
from attnviz.errors import ModelCorrupt, WeightsNotFinite
from attnviz.huggingface import trace_inputs, trace_text, wrap
from attnviz.huggingface.sample import sample
from attnviz.models import load_model, save_model
from attnviz.trace.compare import largest, worst
from tests.huggingface.architectures import ARCHITECTURES, SMALL, TWO_STACKS
from tests.huggingface.sweep import build
from tests.huggingface.tokenizers import word_piece

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
SIZES = {"Bart": TWO_STACKS}
IDS = {"input_ids": torch.tensor([[5, 9, 30, 4, 7]])}


def model(kind: str, **changes: Any) -> Any:
    torch.manual_seed(0)
    name = next(name for name in ("Bert", "Electra", "Bart") if kind.startswith(name))
    return getattr(hf, kind)(getattr(hf, f"{name}Config")(**{**SIZES.get(name, SMALL), **changes})).eval()


def test_what_is_not_shown_is_not_called_a_residual_stream_alone() -> None:
    trace = trace_inputs(wrap(model("BertModel")), IDS)
    assert trace.outputs is None
    with pytest.raises(ValueError, match="or in a way that is not shown yet"):
        _ = trace.logits
    assert all(entry.exact for entry in trace.proof())


@pytest.mark.parametrize(
    "kind", ["BertForQuestionAnswering", "ElectraForQuestionAnswering", "BartForQuestionAnswering"]
)
def test_an_answer_starts_at_a_token_and_ends_at_one(kind: str) -> None:
    network = model(kind)
    trace = trace_text(wrap(network, word_piece()), "the cat sat", None if kind.startswith("Bart") else "on the mat")
    assert trace.outputs is not None
    assert trace.outputs.kind == "span"
    assert trace.sequences[trace.outputs.sequence].labels == ("<start>", "<end>")
    with torch.inference_mode():
        own = network(**trace.forward_pass.given)
    torch.testing.assert_close(trace.logits, torch.cat([own.start_logits, own.end_logits]))
    ids, probabilities = trace.top_outputs(99)
    assert ids.shape == (2, len(trace.tokens))
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(2))
    best = int(own.start_logits.argmax())
    assert trace.outputs.label(int(ids[0, 0])) == f"{best}:{trace.tokens[best]}"
    assert all(entry.exact for entry in trace.proof())
    assert "answer's" in str(figures.outputs(trace).data[1].name)
    answer, first, second = answer_lines(trace)
    assert answer.startswith("Answer: ")
    assert first.startswith(f"Answer <start>: {best}:{trace.tokens[best]} ")
    assert second.startswith("Answer <end>: ")


@pytest.mark.parametrize("changes", [{}, {"num_labels": 5}])  # five: as many as there are tokens
def test_a_discriminator_tells_which_tokens_were_replaced(changes: dict[str, Any]) -> None:
    network = model("ElectraForPreTraining", **changes)
    trace = trace_inputs(wrap(network), IDS)
    assert trace.outputs is not None
    assert (trace.outputs.kind, trace.outputs.label(0), trace.outputs.label(1)) == ("labels", "original", "replaced")
    with torch.inference_mode():
        own = network(**IDS).logits[0]
    torch.testing.assert_close(trace.logits.softmax(-1)[:, 1], own.sigmoid())
    assert all(entry.exact for entry in trace.proof())


def test_a_text_to_choose_has_a_score_of_its_own() -> None:
    network = model("BertForMultipleChoice")
    texts = {"input_ids": torch.tensor([[5, 9, 30, 4, 7], [5, 9, 31, 6, 7], [5, 8, 2, 4, 7]])}
    with torch.inference_mode():
        own = network(input_ids=texts["input_ids"][None]).logits[0]
    for row, score in enumerate(own):
        trace = trace_inputs(wrap(network), texts, row=row)
        assert trace.outputs is not None
        assert trace.outputs.kind == "values"
        torch.testing.assert_close(trace.logits, score.view(1, 1))
        assert all(entry.exact for entry in trace.proof())
    assert trace_text(wrap(network, word_piece()), "the cat", "sat").logits.shape == (1, 1)


def test_the_tokens_of_a_model_in_pretraining() -> None:
    network = model("BertForPreTraining")
    trace = trace_text(wrap(network, word_piece()), "the [MASK] sat")
    assert trace.outputs is not None
    assert trace.outputs.kind == "masked"
    with torch.inference_mode():
        own = network(input_ids=torch.tensor([trace.token_ids])).prediction_logits[0]
    torch.testing.assert_close(trace.logits, own, atol=1e-5, rtol=1e-5)


def test_whether_a_sentence_follows() -> None:
    trace = trace_inputs(wrap(model("BertForNextSentencePrediction")), IDS)
    assert trace.outputs is not None
    assert [trace.outputs.label(index) for index in (0, 1)] == ["IsNext", "NotNext"]


@pytest.mark.parametrize("kind", ["UMT5ForTokenClassification", "WhisperForAudioClassification"])
def test_the_encoder_alone_of_a_family_with_decoders(kind: str) -> None:
    """Its configuration is that of the family, and speaks of a decoder."""
    network = build(kind.partition("For")[0].lower(), kind)
    network.config.is_encoder_decoder = True
    trace = trace_inputs(wrap(network), sample(network, wrap(network).parameters)[0])
    assert trace.model.facts.architecture == "encoder"
    assert trace.main == "encoder"
    assert trace.outputs is not None
    assert trace.tokens == trace.sequences[trace.outputs.sequence].labels


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("all_of_it", [True, False])
@pytest.mark.parametrize("name", ["Llama", "BERT", "ViT", "T5"])
def test_weights_that_are_no_numbers_are_refused(name: str, all_of_it: bool, wrong: float) -> None:
    network = BUILD[name]()
    parameters = dict(network.named_parameters())
    path = list(parameters)[-2]
    weights = parameters[path].data
    weights.fill_(wrong) if all_of_it else weights.view(-1)[3:4].fill_(wrong)
    with pytest.raises(WeightsNotFinite, match=path):
        _ = wrap(network).structure


def test_weights_of_our_own_that_are_no_numbers_are_refused(tmp_path: Any) -> None:
    import attnviz

    own = attnviz.load_model("zoo/reverse")
    for parameter in own.network.parameters():  # type: ignore[union-attr]
        parameter.data.view(-1)[0] = float("nan")
    assert not any(entry.exact for entry in attnviz.trace(own, "g f e").proof())
    save_model(own, tmp_path / "wrong")  # type: ignore[arg-type]
    with pytest.raises((WeightsNotFinite, ModelCorrupt), match="wrong"):
        load_model(tmp_path / "wrong")


def test_what_is_not_a_number_is_the_largest_error() -> None:
    nan = float("nan")
    assert worst([0.0, nan, 1.0]) != worst([0.0, nan, 1.0])
    assert worst([nan, 0.0]) != worst([nan, 0.0])
    assert worst([]) == 0.0
    assert largest(torch.tensor([1.0, nan])) != largest(torch.tensor([1.0, nan]))
    assert largest(torch.empty(0)) == 0.0
