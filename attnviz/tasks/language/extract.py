"""Extractive summary: which sentences of a report answer what is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from random import Random

import torch
from torch import Generator

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, SPLITS, Baseline, Batch, Split, Task, collate, python_random, split_of, words
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Extract"]

SKIP, KEEP = range(2)
WANTED = 2  # sentences of every report that answer what is asked
ASKED = (6, 2, 1)  # how often each topic of a subject is asked for; were all alike, no word alone would say anything
MORE = "it"  # begins a sentence that goes on with the subject of the one before

# subject of a report -> topic that is asked for -> words that belong to it
SUBJECTS: dict[str, dict[str, tuple[str, ...]]] = {
    "weather": {
        "wet": words("rain shower drizzle flood"),
        "windy": words("gale storm breeze gust"),
        "cold": words("frost snow ice blizzard"),
    },
    "factory": {
        "machines": words("motor pump robot crane"),
        "money": words("profit price loan tax"),
        "danger": words("fire leak alarm explosion"),
    },
    "match": {
        "goals": words("goal penalty header equaliser"),
        "injuries": words("cramp sprain fracture bruise"),
        "fans": words("song banner cheer drum"),
    },
    "town": {
        "traffic": words("bus tram taxi lorry"),
        "culture": words("concert museum film exhibition"),
        "health": words("clinic surgeon vaccine pharmacy"),
    },
}
PLACES = {
    "weather": words("in the north|on the coast|in the valley|near the lake|over the hills", "|"),
    "factory": words("in hall two|at the gate|in the yard|in the office|near the store", "|"),
    "match": words("in the first half|before the break|near the line|in extra time|at the end", "|"),
    "town": words("in the centre|near the river|on main street|in the suburbs|at the harbour", "|"),
}
TIMES = words("on monday|on tuesday|on friday|on sunday|today|this week", "|")
NEWS = words(
    "was reported|surprised everyone|was in the news|caused a debate|was expected|was discussed|made people talk|"
    "was not forgotten",
    "|",
)
MORE_NEWS = words(
    "had been expected|was soon forgotten|was in the papers|changed the plans|cost some sleep|went on|came back|"
    "pleased nobody",
    "|",
)

SUBJECT_OF = {topic: subject for subject, topics in SUBJECTS.items() for topic in topics}
TOPIC_OF = {word: topic for topics in SUBJECTS.values() for topic, found in topics.items() for word in found}

Sentence = tuple[str, ...]
Report = tuple[list[str], list[int]]  # its words, and a label for each full stop


@cache
def _sentences() -> dict[Split, dict[tuple[str, str], tuple[Sentence, ...]]]:
    """Return all sentences of each split, by the subject of the report and the word they are about (or "it")."""
    about = [(subject, word) for subject in SUBJECTS for word in (*_words_of(subject), MORE)]
    circumstances = len(TIMES) + len(PLACES["town"])
    rows = [
        row
        for row in product(range(len(about)), range(len(NEWS)), range(circumstances), range(2))
        if about[row[0]][1] != MORE or row[2] >= len(TIMES)  # a place: else all subjects would have the same sentences
    ]
    found: dict[Split, dict[tuple[str, str], list[Sentence]]] = {split: {} for split in SPLITS}
    for row, split in zip(rows, split_of(torch.tensor(rows)), strict=True):
        key = about[row[0]]
        found[split].setdefault(key, []).append(_sentence(*key, *row[1:]))
    return {split: {key: tuple(same) for key, same in mine.items()} for split, mine in found.items()}


def _words_of(subject: str) -> list[str]:
    return [word for found in SUBJECTS[subject].values() for word in found]


def _sentence(subject: str, word: str, news: int, circumstance: int, first: int) -> Sentence:
    goes_on = word == MORE
    told = [*([MORE] if goes_on else ["the", word]), *(MORE_NEWS if goes_on else NEWS)[news].split()]
    when_or_where = (TIMES + PLACES[subject])[circumstance].split()
    return (*when_or_where, *told, ".") if first else (*told, *when_or_where, ".")


def _report(n: int, split: Split, random: Random) -> Report:
    """A report of n sentences, two of them about the topic: each by itself, or the second goes on with the first."""
    sentences = _sentences()[split]
    subject = random.choice(list(SUBJECTS))
    topics = list(SUBJECTS[subject])
    asked = random.choices(topics, ASKED)[0]
    others = [topic for topic in topics if topic != asked]
    parts = random.choice(([(asked, False), (asked, False)], [(asked, True)]))
    missing = n - WANTED
    while missing:
        goes_on = missing > 1 and random.random() < 0.4
        parts.append((random.choice(others), goes_on))
        missing -= 1 + goes_on
    random.shuffle(parts)
    text, labels = [asked, "?"], []
    for topic, goes_on in parts:
        for word in (random.choice(SUBJECTS[subject][topic]), *[MORE] * goes_on):
            text += random.choice(sentences[subject, word])
            labels.append(KEEP if topic == asked else SKIP)
    return text, labels


def _ends(text: Sequence[str]) -> Iterator[tuple[int, int | None]]:
    """The position of each full stop and of the word that says what its sentence is about, maybe one sentence earlier.

    Example:
        >>> list(_ends("wet ? the rain was expected . it changed the plans . the gust was expected .".split()))
        [(6, 3), (11, 3), (16, 13)]
    """
    named = None
    for position, word in enumerate(text):
        if word in TOPIC_OF:
            named = position
        elif word == ".":
            yield position, named


@dataclass(frozen=True)
class Extract(Task):
    """An encoder marks, at the full stop of every sentence of a report, whether the sentence answers what is asked.

        read    windy ? the gale was reported on monday . it went on in the north . today the frost was discussed .
        write                                           keep                      keep                            skip

    What a sentence is about, a single word of it says; a sentence that begins with "it" is about the same as the one
    before. Two sentences of every report answer the question. All else fits any topic of the same report. Each subject
    has a topic that is asked for more often than the others, from which learning can begin.

    Example:
        >>> task = Extract(min_sentences=4, max_sentences=4)
        >>> batch = task.sample(1, torch.Generator().manual_seed(1))
        >>> print(task.tokenizer.decode(batch.tokens[0].tolist()).replace(" . ", " .\\n"))
        machines ? the robot caused a debate this week .
        in hall two the explosion was discussed .
        in hall two it had been expected .
        the pump made people talk in the yard .
        >>> [task.labels[target] for target in batch.targets[0].tolist() if target != IGNORE]
        ['keep', 'skip', 'skip', 'keep']

    Attributes:
        min_sentences: fewest sentences of a report.
        max_sentences: most sentences of a report.

    Raises:
        ConfigError: fewer than 2 sentences, the least number above the greatest.
    """

    min_sentences: int = whole(4, WANTED, offered=range(2, 5))
    max_sentences: int = whole(8, WANTED, offered=range(4, 13))

    name = "extract"
    architecture = "encoder"
    metric = "accuracy"
    labels = ("skip", "keep")  # to skip a sentence, or to keep it
    typed = (  # reports to type
        "windy ? the gale was reported on monday . it went on in the north . today the frost was discussed . "
        "the rain surprised everyone over the hills .",
        "money ? on friday the robot was in the news . the loan caused a debate in the office . "
        "in the yard the fire was expected . it was in the papers at the gate . on tuesday the tax was discussed .",
        "goals ? today the song was reported . in extra time it changed the plans . on sunday the penalty was "
        "discussed . at the end it was soon forgotten . the cramp surprised everyone near the line . "
        "on sunday the drum made people talk .",
    )

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The words of all reports."""
        phrases = [*NEWS, *MORE_NEWS, *TIMES, *(place for places in PLACES.values() for place in places)]
        symbols = ["?", ".", "the", MORE, *SUBJECT_OF, *TOPIC_OF, *" ".join(phrases).split()]
        return Tokenizer("symbols", tuple(dict.fromkeys(symbols)))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n reports. Split by the sentence: one that is tested was never trained on, in no report at all."""
        sizes = torch.randint(self.min_sentences, self.max_sentences + 1, (n,), generator=generator).tolist()
        random = python_random(generator)
        reports = [_report(size, split, random) for size in sizes]
        tokens, padding = collate([self.tokenizer.encode_symbols(text) for text, _ in reports])  # (B, T)
        targets = torch.full_like(tokens, IGNORE)
        targets[tokens == self._full_stop] = torch.tensor([label for _, labels in reports for label in labels])
        return Batch(tokens, targets, padding)

    @property
    def _full_stop(self) -> int:
        return self.tokenizer.encode_symbols(".")[0]

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect a full stop to attend to the topic word of its sentence and to the topic asked for."""
        text = [self.tokenizer.label(token) for token in tokens]
        ends = [*_ends(text)]
        asked = [(end, 0) for end, _ in ends if text[0] in SUBJECT_OF]
        about = [(end, word) for end, word in ends if word is not None]
        return (Pattern.of("word of the topic", about, tokens), Pattern.of("question", asked, tokens))

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the label that most sentences have; and the first sentences, as many as are wanted."""
        generator = Generator().manual_seed(seed)
        trained, judged = (self._labels(2048, generator, split) for split in ("train", "test"))
        most = Counter(label for labels in trained for label in labels).most_common(1)[0][0]
        n = sum(map(len, judged))
        frequent = sum(label == most for labels in judged for label in labels)
        first = sum((place < WANTED) == (label == KEEP) for labels in judged for place, label in enumerate(labels))
        return (Baseline("most frequent label", frequent / n), Baseline("first sentences", first / n))

    def _labels(self, n: int, generator: Generator, split: Split) -> list[list[int]]:
        targets = self.sample(n, generator, split).targets
        return [[label for label in row if label != IGNORE] for row in targets.tolist()]

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A topic, "?", and sentences of which each says what it is about."""
        sentences = [named for _, named in _ends(symbols)]
        enough = self.min_sentences <= len(sentences) <= self.max_sentences
        return enough and None not in sentences and symbols[1] == "?" and symbols[-1] == "."

    def model_config(self) -> ModelConfig:
        """Return a network of two layers; rotary positions, because what matters is how far away a word is."""
        return self.transformer(max(80, 2 + 9 * self.max_sentences), n_heads=4, positions="rotary")
