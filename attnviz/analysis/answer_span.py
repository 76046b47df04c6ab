"""The answer of a question-answering model as a span of the text that it read."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from attnviz.trace import Trace

__all__ = ["LONGEST", "AnswerSpan", "answer_span"]

LONGEST = 30
"""Most tokens of an answer, as in BERT's own script for SQuAD."""


@dataclass(frozen=True, eq=False)
class AnswerSpan:
    """The most probable answer that is a span of the text, beside the answer that there is none.

    Attributes:
        begin: position of its first token.
        end: position of its last token.
        probability: P(start = begin) · P(end = end), each a softmax over all tokens.
        none: P(start = 0) · P(end = 0): both ends at the first token, a special one such as [CLS], by which models
            trained for it say that the text has no answer. None where the text begins with no such token.
        starts: (T,) P(start = i).
        ends: (T,) P(end = j).
        context: positions of the tokens that may be in an answer.
    """

    begin: int
    end: int
    probability: float
    none: float | None
    starts: Tensor
    ends: Tensor
    context: tuple[int, ...]


def answer_span(trace: Trace, longest: int = LONGEST) -> AnswerSpan | None:
    r"""Return $\arg\max_{i \le j < i + longest} P(\mathrm{start}=i)\,P(\mathrm{end}=j)$ over the tokens of the context.

    The context is the second of two texts, or the only one without its special tokens. None where the model gives no
    such answer, or there is no token to be one.

    Args:
        trace: of a model with a question-answering head.
        longest: most tokens of an answer.

    Source:
        Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        sections 4.2 (spans) and 4.3 (no answer at [CLS]).
    """
    if trace.outputs is None or trace.outputs.kind != "span":
        return None
    tokens = trace.sequences[trace.main]
    starts, ends = trace.logits.float().softmax(-1)
    last = max((segment for segment in tokens.segments if segment is not None), default=None)
    context = tuple(
        place
        for place in range(len(tokens))
        if place not in tokens.specials and (last is None or tokens.segments[place] == last)
    )
    if not context:
        return None
    kept = torch.tensor(context, device=starts.device)
    both = starts[kept, None] * ends[kept]  # (n, n)
    legal = torch.ones_like(both, dtype=torch.bool).triu().tril(longest - 1)
    best, at = both.where(legal, -1.0).flatten().max(0)
    begin, end = divmod(int(at), len(context))
    none = float(starts[0] * ends[0]) if 0 in tokens.specials else None
    return AnswerSpan(context[begin], context[end], float(best), none, starts, ends, context)
