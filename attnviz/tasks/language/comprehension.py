"""Reading comprehension: which words of a short text answer a question, and in which sentence they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, collate, draw, python_random
from attnviz.tasks.choice import whole
from attnviz.tasks.language.comprehension_grammar import (
    FRAMES,
    NOUNS,
    OBJECTS,
    PEOPLE,
    QUESTIONS,
    SYMBOLS,
    THIRDS,
    VERBS,
    Answer,
    answers,
    asked,
    phrase,
    sentences,
    told,
)
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["ANSWER", "FACT", "OTHER", "Comprehension"]

OTHER, FACT, ANSWER = range(3)
OFTEN = (6, 3, 1, 1, 1, 1, 1, 1)
"""How often each person, and each noun, is asked for; were all alike, no word alone would say anything."""
SAME_VERB = 0.3  # share of other sentences that have the verb of the question
SKELETON = (len(QUESTIONS), len(FRAMES), len(VERBS))


@dataclass(frozen=True)
class Comprehension(Task):
    """An encoder reads a question and a text, and marks the answer, and the sentence (the fact) that it stands in.

        read    who sold the lamp ? boris bought the coat at noon . in paris the old lamp was sold by anna    .
        write                       (other                      ) (fact                           ) answer fact

    Sentences are put together from frames (active, passive, in any order), a verb and its parts; so are questions. The
    same words occur in several sentences, and who gives and who gets is told by "to", "from", "by" and the order.

    Split by the skeleton, that is the form of the question with the frame and the verb of the sentence that answers:
    of the test, no question about a sentence is built like one in training. Some people and things are asked for more
    often than others, from which learning can begin.

    Example:
        >>> task = Comprehension(min_sentences=2, max_sentences=2)
        >>> batch = task.sample(2, torch.Generator().manual_seed(0))
        >>> print(task.tokenizer.decode(batch.tokens[1].tolist()).replace(" . ", " .\\n"))
        by whom was the basket borrowed ? in the library anna borrowed the old red basket .
        it was greta who borrowed the old red ring in the garden .
        >>> task.tokenizer.decode(batch.tokens[1][batch.targets[1] == ANSWER].tolist())
        'anna'

    Attributes:
        min_sentences: fewest sentences of a text.
        max_sentences: most sentences of a text.

    Raises:
        ConfigError: no sentence, more than there are people, the least number above the greatest.
    """

    min_sentences: int = whole(2, 1, len(PEOPLE), offered=range(1, 3))
    max_sentences: int = whole(3, 1, len(PEOPLE), offered=range(2, 7))

    name = "comprehension"
    architecture = "encoder"
    metric = "exact match"
    labels = ("other", "fact", "answer")  # neither, of the sentence that answers, and the answer itself
    typed = (  # questions and texts to type
        "who sold the lamp ? boris bought the coat at noon . in paris the old lamp was sold by anna .",
        "where did anna buy the red book ? anna bought the book on the hill . at school boris sold the map .",
        "to whom did clara give the ring ? to anna boris gave the coat . it was clara who gave the old ring to david . "
        "the clock was given to clara by anna .",
    )

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The words of all texts and questions."""
        return Tokenizer("symbols", SYMBOLS)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n texts with a question in front."""
        rows = draw(n, split, lambda count: _skeletons(count, generator)).tolist()
        random = python_random(generator)
        texts = [self._text(row, random) for row in rows]
        tokens, padding = collate([self.tokenizer.encode_symbols(text) for text in texts])  # (B, T)
        targets, _ = collate([_tags(text) for text in texts], IGNORE)  # (B, T)
        return Batch(tokens, targets, padding)

    def _text(self, skeleton: Sequence[int], random: Random) -> list[str]:
        """Return a question and a text in which a sentence of the skeleton answers it, and no other does."""
        (role, question), frame, verb = QUESTIONS[skeleton[0]], FRAMES[skeleton[1]], VERBS[skeleton[2]]
        third = role if role in THIRDS else random.choice(list(THIRDS))
        n = random.randint(self.min_sentences, self.max_sentences)
        named = [*zip(_drawn(PEOPLE, n, random), _drawn(NOUNS, n, random), strict=True)]
        parts = _parts(*named[0], third, verb, random)
        text = [*phrase(question, verb, parts | {"O": f"the {named[0][1]}"}), "?"]
        facts = [phrase(frame, verb, parts)]
        for person, noun in named[1:]:
            other = verb if random.random() < SAME_VERB else random.choice(VERBS)
            facts.append(phrase(random.choice(FRAMES), other, _parts(person, noun, third, other, random)))
        random.shuffle(facts)
        return text + [word for fact in facts for word in (*fact, ".")]

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the tags of a text with one answer to its question."""
        text = self.tokenizer.labels(tokens)
        return _tags(text) if len(answers(text)) == 1 else [IGNORE] * len(tokens)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect named words of the fact to attend to the question, and the answer to them and to the question word."""
        text = self.tokenizer.labels(tokens)
        question, found = asked(text), answers(text)
        if question is None or len(found) != 1:
            return ()
        _, named, _ = question
        fact, _, (begin, end) = found[0]
        last = {role: (fact.spans[role][1] - 1, named.spans[role][1] - 1) for role in named.parts}
        told_keys = [key for key, _ in last.values()]
        return (
            Pattern.of("same word in the question", last.values(), tokens),
            Pattern.of(
                "word that the question names", ((i, key) for i in range(begin, end) for key in told_keys), tokens
            ),
            Pattern.of("question word", ((i, 0) for i in range(begin, end)), tokens),
        )

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Judge two ways to choose a sentence without the question's grammar; both know which part is asked for."""
        batch = self.sample(2048, Generator().manual_seed(seed), "test")
        texts = [self.tokenizer.decode(row).split() for row in batch.tokens.tolist()]
        ways = {"first sentence": _first, "most shared words": _most_shared}
        return tuple(
            Baseline(name, sum(_tags(text, way(text)) == _tags(text) for text in texts) / len(texts))
            for name, way in ways.items()
        )

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A question with one answer, and as many sentences as the task makes."""
        question = asked(symbols)
        if question is None or symbols[-1] != "." or len(answers(symbols)) != 1:
            return False
        return self.min_sentences <= sum(1 for _ in sentences(symbols, question[2])) <= self.max_sentences

    def mended(self, text: str) -> Iterable[str]:
        """With a full stop at the end."""
        return (f"{text} .",)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers; rotary positions, because what matters is how far away a word is."""
        return self.transformer(14 + 12 * self.max_sentences, d_model=64, d_ff=256, n_heads=4, positions="rotary")


def _skeletons(count: int, generator: Generator) -> Tensor:
    """(count, 3): of question, frame and verb the index."""
    return torch.rand(count, len(SKELETON), generator=generator).mul(torch.tensor(SKELETON)).long()


def _drawn(names: Sequence[str], n: int, random: Random) -> list[str]:
    """Return n different names, the first one that of what is asked for."""
    first = random.choices(names, OFTEN)[0]
    return [first, *random.sample([name for name in names if name != first], k=n - 1)]


def _parts(person: str, noun: str, third: str, verb: Sequence[str], random: Random) -> dict[str, str]:
    """Return the parts of a fact with a random third one."""
    other = random.choice([text for text in THIRDS[third] if text != person])
    return {"S": person, "O": random.choice(OBJECTS[noun]), "X": f"{verb[3]} {other}" if third == "R" else other}


def _tags(text: Sequence[str], answer: Answer | None = None) -> list[int]:
    """Return a tag for each word of a text, none for the question; the right answer where none is given."""
    question = asked(text)
    assert question is not None
    answer = answer or answers(text)[0]
    tags = [IGNORE] * question[2] + [OTHER] * (len(text) - question[2])
    for tag, (begin, end) in ((FACT, answer.sentence), (ANSWER, answer.span)):
        tags[begin:end] = [tag] * (end - begin)
    return tags


def _candidates(text: Sequence[str]) -> list[Answer]:
    """Return all sentences that have the part which is asked for."""
    question = asked(text)
    assert question is not None
    role, _, begin = question
    facts = ((told(text, *sentence), sentence) for sentence in sentences(text, begin))
    return [Answer(fact, sentence, fact.spans[role]) for fact, sentence in facts if role in fact.spans]


def _first(text: Sequence[str]) -> Answer:
    return _candidates(text)[0]


def _most_shared(text: Sequence[str]) -> Answer:
    """Return the sentence that shares most words with the question, the first of equals."""
    question = set(text[: list(text).index("?")])
    return max(_candidates(text), key=lambda answer: len(question & set(text[slice(*answer.sentence)])))
