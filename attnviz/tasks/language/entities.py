"""Named entities: which words name a person, a place, an organisation or a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from random import Random

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Batch, Split, draw, python_random
from attnviz.tasks.language.bio import OUTSIDE, tag_names
from attnviz.tasks.language.entities_grammar import (
    ASIDES,
    FORMS,
    MONTHS,
    NAMES,
    OPENINGS,
    SUBJECTS,
    TAILS,
    VERBS,
    YEARS,
)
from attnviz.tasks.language.tagging import TaggingTask, tagged
from attnviz.tasks.language.vocabulary import UNKNOWN
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Entities"]

UNKNOWN_WORD = UNKNOWN["symbols"]
FORGOTTEN = 0.3  # share of names that training reads as unknown
SLOTS = {**NAMES, "month": MONTHS, "year": YEARS}
PARTS = (OPENINGS, SUBJECTS, ASIDES, next(iter(VERBS.values())), TAILS)  # of a sentence; as many verbs of each type
VERB_WORDS = frozenset(verb.split()[0] for verbs in VERBS.values() for verb in verbs)
SEEN = frozenset(  # names in training data: every other one, by a hash; those of months all
    name
    for names in NAMES.values()
    for name in names
    if name in MONTHS or int.from_bytes(sha256(name.encode()).digest()[:8]) % 2
)
TYPES = tuple(FORMS)


@dataclass(frozen=True)
class Entities(TaggingTask):
    """An encoder tags each word: "B-" begins an entity, "I-" goes on with it, "O" is outside of all.

        read    <bos> Jordan Keller , it seems , wrote to <unk> in Jordan
        write         B-PER  I-PER  O O  O     O O     O  B-PER O  B-LOC

    Sentences are put together at random from an opening, a subject, an aside, a verb with its object, and a tail. Many
    names can be a person, a place or a company: the context tells, for a subject only the verb.

    Split by the sentence's parts, so that every sentence of the test is built as none was in training; half of the
    names are never seen in training. A name that was not seen is read as `<unk>`, in training three in ten of the
    others are as well.

    Example:
        >>> task = Entities()
        >>> batch = task.sample(1, torch.Generator().manual_seed(4))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        '<unk> wrote to Madison Siemens says a report for Georgia'
        >>> [task.labels[tag] for tag in batch.targets[0, 1:].tolist()]
        ['B-PER', 'O', 'O', 'B-PER', 'I-PER', 'O', 'O', 'O', 'O', 'B-ORG']
    """

    name = "entities"
    labels = tag_names(TYPES)  # BIO tags of persons, places, organisations and times
    typed = (  # sentences to type: the same name as a person, a place and a company, and unknown ones
        "Georgia , as everybody knows by now , wrote to Houston",
        "Georgia , as everybody knows by now , belongs to Houston",
        "Georgia , as everybody knows by now , merged with Ford in June 2019",
        "May Keller moved to Jordan in May",
        "<unk> , it seems , works for Bank of <unk>",
    )

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The words of all parts, the names of training data and `<unk>`; `<bos>` in front."""
        verbs = (verb for group in VERBS.values() for verb in group)
        forms = (form for group in FORMS.values() for form in group)
        texts = (*OPENINGS, *ASIDES, *TAILS, *verbs, *forms, *(text for _, text in SUBJECTS), *MONTHS, *YEARS)
        found = {word for text in texts for word in text.split() if not word.startswith("{")} | SEEN
        return Tokenizer("symbols", (UNKNOWN_WORD, *sorted(found)), add_bos=True, unknown=UNKNOWN_WORD)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sentences."""
        rows = draw(n, split, lambda count: skeletons(count, generator)).tolist()
        random, training = python_random(generator), split == "train"
        sentences = [list(sentence(row, random, lambda slot: _name(slot, random, training))) for row in rows]
        return tagged(sentences, self.tokenizer, self.labels)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect a subject without "the village" or the like before it to attend to its verb."""
        words = self.tokenizer.labels(tokens)
        verb = next((i for i, word in enumerate(words) if word in VERB_WORDS), 0)
        end = verb
        if verb > 1 and words[verb - 1] == ",":  # an aside, between commas
            end = max((i for i in range(verb - 1) if words[i] == ","), default=0)
        start = max((i + 1 for i in range(end) if words[i] == ","), default=1)
        bare = range(start, end) if words[start] != "the" else range(0)
        return (Pattern.of("verb of the subject", ((i, verb) for i in bare), tokens),)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers, rotary positions: an entity is told by words at a distance."""
        return self.transformer(40, positions="rotary")


def skeletons(count: int, generator: Generator) -> Tensor:
    """(count, 5): of each part an index; what is written twice has the index of the first."""
    columns = []
    for options in PARTS:
        first = torch.tensor([options.index(option) for option in options])
        columns.append(first[torch.randint(len(options), (count,), generator=generator)])
    return torch.stack(columns, 1)


def sentence(skeleton: Sequence[int], random: Random, name: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield the words and tags of a sentence.

    Args:
        skeleton: a row of `skeletons`.
        random: chooses the forms of entities.
        name: chooses a name for a slot, one of SLOTS.
    """
    opening, subject, aside, verb, tail = skeleton
    kind, subject_text = SUBJECTS[subject]
    for text in (OPENINGS[opening], subject_text, ASIDES[aside], VERBS[kind][verb], TAILS[tail]):
        for word in text.split():
            if word.startswith("{"):
                yield from _entity(word[1:-1], random, name)
            else:
                yield word, OUTSIDE


def _entity(kind: str, random: Random, name: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield the words and tags of a random entity."""
    for place, part in enumerate(random.choice(FORMS[kind]).split()):
        word = name(part[1:-1]) if part.startswith("{") else part
        yield word, f"{'I' if place else 'B'}-{kind}"


def _name(slot: str, random: Random, training: bool) -> str:
    """Return a name that was seen in training, or the unknown word."""
    if slot not in NAMES:
        return random.choice(SLOTS[slot])
    name = random.choice(NAMES[slot])
    while training and name not in SEEN:
        name = random.choice(NAMES[slot])
    forgotten = training and random.random() < FORGOTTEN
    return name if name in SEEN and not forgotten else UNKNOWN_WORD
