"""The span that a question-answering model answers with: the best legal one, found another way, and no answer."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from tokenizers import processors

import attnviz
from attnviz.analysis.answer_span import AnswerSpan, answer_span
from attnviz.cli.outputs import answer_lines, answer_values
from attnviz.huggingface import trace_text, wrap
from attnviz.trace import Trace
from attnviz.view.payload import overview
from tests.core.test_payload import unpack
from tests.huggingface.architectures import SMALL
from tests.huggingface.tokenizers import word_piece

QUESTION, TEXT = "the cat", "unbelievably, the cat sat on the mat"


def network(seed: int) -> Any:
    torch.manual_seed(seed)
    made = hf.BertForQuestionAnswering(hf.BertConfig(**SMALL)).eval()
    torch.nn.init.normal_(made.qa_outputs.weight, std=2.0)  # so that the ends are not all alike
    return made


def traced(seed: int, second: str | None = TEXT) -> Trace:
    return trace_text(wrap(network(seed), word_piece()), QUESTION, second)


def span_of(trace: Trace, longest: int = 30) -> AnswerSpan:
    found = answer_span(trace, longest)
    assert found is not None
    return found


@pytest.mark.parametrize("longest", [1, 3, 30])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_legal_span_is_the_one_that_trying_all_finds(seed: int, longest: int) -> None:
    trace = traced(seed)
    found = span_of(trace, longest)
    start, end = trace.logits.softmax(-1).tolist()
    first = len(trace.tokens) - trace.tokens[::-1].index("[SEP]", 1)  # behind the [SEP] between the two texts
    context = range(first, len(trace.tokens) - 1)
    assert found.context == tuple(context)
    legal = [(i, j) for i, j in product(context, repeat=2) if i <= j < i + longest]
    best = max(legal, key=lambda span: start[span[0]] * end[span[1]])
    assert (found.begin, found.end) == best
    assert found.probability == pytest.approx(start[best[0]] * end[best[1]], rel=1e-5)
    assert found.none == pytest.approx(start[0] * end[0], rel=1e-5)


def test_the_ends_alone_would_often_be_no_span() -> None:
    """The most probable start and end of some of these lie in the question, on a special token or the wrong way."""
    illegal = 0
    for seed in range(6):
        trace = traced(seed)
        found = span_of(trace)
        start, end = trace.logits.argmax(-1).tolist()
        illegal += not (start in found.context and end in found.context and start <= end)
    assert illegal >= 3


def test_one_text_alone_is_its_own_context() -> None:
    trace = traced(0, None)
    assert span_of(trace).context == tuple(range(1, len(trace.tokens) - 1))


def test_other_models_have_no_such_answer() -> None:
    assert answer_span(attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e")) is None


def test_no_answer_needs_a_token_in_front_that_stands_for_it() -> None:
    tokenizer = word_piece()
    tokenizer.backend_tokenizer.post_processor = processors.Sequence([])
    trace = trace_text(wrap(network(0), tokenizer), QUESTION)
    assert span_of(trace).none is None
    assert "no answer" not in answer_lines(trace)[0]


def test_a_saved_folder_answers_on_the_command_line_and_in_the_view(tmp_path: Path) -> None:
    network(3).save_pretrained(tmp_path)
    word_piece().save_pretrained(tmp_path)
    trace = attnviz.trace(attnviz.load_model(tmp_path), QUESTION, TEXT)
    found = span_of(trace)
    values = answer_values(trace)
    assert values is not None
    assert values["span"]["tokens"] == list(trace.tokens[found.begin : found.end + 1])
    assert (values["span"]["begin"], values["span"]["none"]) == (found.begin, found.none)
    assert "; no answer " in answer_lines(trace)[0]
    header, arrays = unpack(
        overview(trace, choice={"site": None, "head": 0, "query": None, "key": None, "locked": False}, lang="en")
    )
    told = header["outputs"]["span"]
    assert (told["stack"], told["begin"], told["end"]) == (trace.main, found.begin, found.end)
    assert told["context"] == list(found.context)
    assert arrays["outputs/ends"].shape == (2, len(trace.tokens))
    assert torch.equal(torch.from_numpy(arrays["outputs/ends"].copy()), trace.logits.softmax(-1))
