"""Find heads in one process: count how they read, then measure the effect of those that stand out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from attnviz.errors import AttnvizError, NoTexts, TextRefused
from attnviz.errors.base import Why
from attnviz.heads.corpus import Text, shipped_texts
from attnviz.heads.effects import Asked, Effect, can_measure, measure_effects
from attnviz.heads.found import Heads, candidates, conclude
from attnviz.heads.tally import Tally
from attnviz.models import SequenceModel
from attnviz.trace import Trace
from attnviz.tracing import trace as take_trace

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = [
    "Progress",
    "corpus_of",
    "effects_to_measure",
    "find_heads",
    "heads_of",
    "joined",
    "measure",
    "take",
    "tallied",
]

if TYPE_CHECKING:
    Model = SequenceModel | HuggingFaceModel
Progress = Callable[[int, int], None]
KEEP = 25  # texts, after which those that are no examples are forgotten
RICH = 3  # texts on which the effect of a way is measured


def find_heads(
    model: SequenceModel | HuggingFaceModel | nn.Module,
    texts: Iterable[str | tuple[str, str | None]] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    tokenizer: Any = None,
) -> Heads:
    """Find the heads of a model that read in a way that has a name; see `attnviz.heads`.

    Args:
        model: model from `load_model`, or a model object of the transformers library.
        texts: texts to read, or pairs of a text and a target, or a single text; None: those of `shipped_texts`.
        seed: of the samples among the shipped texts.
        progress: is told how many steps are done, of how many; what it raises ends the search.
        tokenizer: tokenizer of a transformers object.

    Raises:
        NoTexts: there is nothing to read.
        TextRefused: the model cannot read one of the texts; the message says which, and why.
    """
    model, chosen = corpus_of(model, texts, seed, tokenizer)
    report = progress or (lambda done, total: None)
    report(0, len(chosen))
    tally = Tally()
    for index, text in enumerate(chosen):
        tally.add(tallied(model, [text], index))
        if index % KEEP == 0:
            tally.keep_examples()
        report(index + 1, len(chosen))
    asked = effects_to_measure(tally)
    effects: dict[Asked, Effect] = {}
    for index, (text_index, some) in enumerate(asked.items()):
        joined(effects, measure(model, chosen[text_index], text_index, some))
        report(len(chosen) + index + 1, len(chosen) + len(asked))
    return conclude(model.facts.name, tally, effects, tally.measurable)


def corpus_of(
    model: Model | nn.Module, texts: Iterable[str | tuple[str, str | None]] | None, seed: int, tokenizer: Any
) -> tuple[Model, list[Text]]:
    """Return the model, wrapped where it is an object of the transformers library, and the texts that it is to read.

    Raises:
        NoTexts: there is nothing to read.
    """
    if isinstance(model, nn.Module):
        from attnviz.huggingface import wrap

        model = wrap(model, tokenizer)
    given = [texts] if isinstance(texts, str) else texts
    chosen = shipped_texts(model, seed) if given is None else [_text(each) for each in given]
    if not chosen:
        raise NoTexts(model.facts.name)
    return model, chosen


def heads_of(trace: Trace) -> Heads:
    """Find the heads of the model of a trace by its text alone; see `find_heads`, which takes more texts."""
    tally = Tally()
    tally.read(trace, 0)
    asked = candidates(tally)
    measurable = can_measure(trace)
    effects = measure_effects(trace, asked) if measurable and asked else {}
    return conclude(trace.model.facts.name, tally, effects, measurable)


def tallied(model: Model, texts: Sequence[Text], start: int) -> Tally:
    """Count how the heads read some texts, whose first has the index `start`."""
    tally = Tally()
    for index, text in enumerate(texts, start):
        trace = take(model, text, index)
        tally.read(trace, index)
        tally.measurable = can_measure(trace)
    tally.keep_examples()
    return tally


def effects_to_measure(tally: Tally) -> dict[int, list[Asked]]:
    """Return, by the index of the text, the heads to switch off one by one: on those texts that are about their way.

    Of a model without outputs to tell an effect by there are none.
    """
    found: dict[int, list[Asked]] = {}
    for each in candidates(tally) if tally.measurable else ():
        for text in tally.sites[each.site].rich_texts(each.way)[:RICH]:
            found.setdefault(text, []).append(each)
    return found


def measure(model: Model, text: Text, index: int, asked: Sequence[Asked]) -> dict[Asked, Effect]:
    """Measure effects on one text."""
    return measure_effects(take(model, text, index), asked)


def joined(effects: dict[Asked, Effect], more: Mapping[Asked, Effect]) -> None:
    """Add effects that were measured on another text."""
    for asked, effect in more.items():
        effects[asked] = effects[asked].plus(effect) if asked in effects else effect


def take(model: Model, text: Text, index: int) -> Trace:
    """Trace one of many texts.

    Raises:
        TextRefused: the model cannot read it; the message says which, and why.
    """
    try:
        return take_trace(model, text.text, text.target)
    except AttnvizError as error:
        raise TextRefused(index + 1, Why.of(error)) from error


def _text(given: str | tuple[str, str | None]) -> Text:
    return Text(given) if isinstance(given, str) else Text(*given)
