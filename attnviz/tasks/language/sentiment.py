"""Sentiment: is an opinion good or bad? Negation, somebody else's opinion and idle talk stand in the way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Literal

import torch
from torch import Generator, Tensor

from attnviz.errors import SettingNotOffered
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import Baseline, Batch, Split, Task, draw, python_random
from attnviz.tasks.choice import one_of, whole
from attnviz.tasks.language.classify import label_baselines, labelled
from attnviz.tasks.language.sentiment_en import ENGLISH
from attnviz.tasks.language.sentiment_words import OpinionWords
from attnviz.tasks.language.sentiment_zh import CHINESE
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Sentiment"]

Language = Literal["en", "zh"]
LANGUAGES: dict[Language, OpinionWords] = {"en": ENGLISH, "zh": CHINESE}
NEGATED, DENIED, OTHERS = 0.35, 0.15, 0.5  # shares of texts; with more turned round, no gradient shows the way


@dataclass(frozen=True)
class Sentiment(Task):
    """An encoder reads what somebody says and tells at `<bos>` whether that person liked it.

        read    <bos> my brother said it was bad but i do not think the film was dull
        write   positive

    Each opinion is put together at random: a clause ("i do not think ...", which turns the opinion round), a subject, a
    modifier ("very", or "not at all", which turns it round again) and an opinion word. In half of the texts somebody
    else has an opinion as well, which does not count. Neutral sentences stand around it.

    Split by clause, modifier and opinion word: no three of the test came together in training. English is read by the
    word, Chinese by the character.

    Example:
        >>> task = Sentiment()
        >>> batch = task.sample(1, torch.Generator().manual_seed(11))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'my sister said it was interesting but i think the film was quite good . it was monday'
        >>> task.labels[batch.targets[0, 0]]
        'positive'

    Attributes:
        language: "en" or "zh".
        noise: neutral sentences before the opinion, and as many after it, at most; half of that at least.

    Raises:
        ConfigError: no such language, a noise below 0 or above 40.
    """

    language: Language = one_of("en", tuple(LANGUAGES))
    noise: int = whole(1, 0, 40, offered=range(21))

    name = "sentiment"
    architecture = "encoder"
    metric = "accuracy"
    readout = "whole"
    labels = ("negative", "positive")  # what an opinion can be

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise SettingNotOffered("language", self.language, list(LANGUAGES))
        super().__post_init__()

    @property
    def words(self) -> OpinionWords:
        """Words of the language."""
        return LANGUAGES[self.language]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """English words, Chinese characters; `<bos>` in front."""
        w = self.words
        texts = [*w.subjects, *w.opinions, *w.others, *w.neutral, w.before, w.after, w.stop]
        texts += [*w.modifiers, *w.negations, *w.clauses, *(denial.text for denial in w.denials)]
        plain = [re.sub(r"\{\w+\}", " ", text) for text in texts]
        symbols = {symbol for text in plain for part in text.split() for symbol in ([part] if w.space else part)}
        return Tokenizer("symbols" if w.space else "characters", tuple(sorted(symbols)), add_bos=True)

    @cached_property
    def max_len(self) -> int:
        """Tokens of the longest text."""
        w = self.words
        length = {
            name: max(len(self.tokenizer.split(text)) for text in texts)
            for name, texts in {
                "opinion": w.opinions,
                "modifier": w.modifiers + w.negations,
                "clause": [re.sub(r"\{\w+\}", "", text) for text in (*w.clauses, *(d.text for d in w.denials))],
                "subject": w.subjects,
                "other": w.others,
                "joint": [re.sub(r"\{\w+\}", "", text) for text in (w.before, w.after)],
                "neutral": [text + w.stop for text in w.neutral],
            }.items()
        }
        opinions = 2 * (length["modifier"] + length["opinion"]) + length["clause"] + length["subject"]
        return 1 + opinions + length["other"] + length["joint"] + 2 * self.noise * length["neutral"] + len(w.end)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n texts; good and bad ones are about as frequent."""
        rows = draw(2 * n, split, lambda count: self._opinions(count, generator)).tolist()
        random = python_random(generator)
        written = [self._text(own, other, random) for own, other in zip(rows[:n], rows[n:], strict=True)]
        return labelled([self.tokenizer.encode(text) for text, _ in written], [label for _, label in written])

    def _opinions(self, count: int, generator: Generator) -> Tensor:
        """(count, 3): of a clause, of a modifier and of an opinion word; what turns round comes last of each."""
        w = self.words
        columns = [
            _choose(count, len(w.clauses), len(w.denials), DENIED, generator),
            _choose(count, len(w.modifiers), len(w.negations), NEGATED, generator),
            _choose(count, len(w.negative), len(w.positive), 0.5, generator),
        ]
        return torch.stack(columns, 1)

    def _text(self, own: Sequence[int], other: Sequence[int], random: Random) -> tuple[str, int]:
        """Return a text around one's own opinion, and its label."""
        w = self.words
        clause, modifier, opinion = own
        text = (*w.clauses, *(denial.text for denial in w.denials))[clause]
        subject = random.choice(w.about(opinion))
        joint = random.choice((w.before, w.after)) if random.random() < OTHERS else ""
        named = w.again if w.again and "{subject}" in joint else subject
        text = text.format(subject=named, opinion=self._opinion(modifier, opinion))
        if joint:
            who, (_, how, said) = random.choice(w.others), other
            if subject not in w.about(said):
                said = random.choice([word for word in range(len(w.opinions)) if subject in w.about(word)])
            text = joint.format(own=text, who=who, subject=subject, opinion=self._opinion(how, said))
        before, after = (random.choices(w.neutral, k=random.randint(self.noise // 2, self.noise)) for _ in range(2))
        turns = (clause >= len(w.clauses)) + (modifier >= len(w.modifiers))
        good = opinion >= len(w.negative)
        return w.stop.join((*before, text, *after)) + w.end, int(good != (turns == 1))  # twice is not at all

    def _opinion(self, modifier: int, opinion: int) -> str:
        """Return a modifier and an opinion word; the empty modifier needs no space."""
        w = self.words
        how, word = (w.modifiers + w.negations)[modifier], w.opinions[opinion]
        return f"{how}{w.space}{word}" if how else word

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """`<bos>` reads one's own opinion: its negations, if any, and its opinion word."""
        symbols = [self.tokenizer.label(token) if token >= Tokenizer.n_specials else "" for token in tokens]
        return (Pattern.of("negation and opinion", ((0, key) for key in self._own_opinion(symbols)), tokens),)

    def _own_opinion(self, symbols: Sequence[str]) -> list[int]:
        """Return the positions of negations and opinion words that are not somebody else's."""
        starts, length = [], 0
        for symbol in symbols:
            starts.append(length)
            length += len(symbol) + len(self.words.space)
        found: list[int] = []
        pending: list[range] = []
        others = False  # the opinion that comes next is somebody else's
        for match in self._signs.finditer(self.words.space.join(symbols)):
            if match.lastgroup == "said":
                others, pending = True, []
                continue
            pending.append(range(*match.span()))
            if match.lastgroup == "opinion":
                spans = [] if others else pending
                found += [i for i, start in enumerate(starts) if symbols[i] and any(start in span for span in spans)]
                others, pending = False, []
        return found

    @cached_property
    def _signs(self) -> re.Pattern[str]:
        """Pattern of the deciding words: opinion words, negations, and the words before other people's opinions."""
        w = self.words
        negations = [*w.negations, *(denial.negation for denial in w.denials)]
        groups = {"said": [w.said], "opinion": w.opinions, "negation": negations}
        parts = (f"(?P<{name}>{'|'.join(sorted(texts, key=len, reverse=True))})" for name, texts in groups.items())
        whole_words = r"(?<!\S)(?:{})(?!\S)" if w.space else "{}"
        return re.compile(whole_words.format("|".join(parts)))

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the most frequent label, and word counts, which cannot tell what a "not" belongs to."""
        return label_baselines(self, seed)

    @property
    def reads(self) -> str:
        """English or Chinese."""
        return f"sentiment-{self.language}"

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A text with an opinion of one's own."""
        return bool(self._own_opinion(symbols))

    def model_config(self) -> ModelConfig:
        """Two layers join negations and opinion word; then `<bos>` asks, and attention makes one vector of all."""
        return self.transformer(self.max_len, positions="rotary", pooling="additive")

    def recurrent_config(self) -> RecurrentConfig:
        """Return an LSTM in both directions, whose states attention makes one vector of."""
        return replace(super().recurrent_config(), pooling="additive")

    def texts(self) -> tuple[Example, ...]:
        """Return opinions to type, the same words on both sides."""
        if self.language == "zh":
            return (
                "这部电影非常精彩。",
                "这部电影一点也不精彩。",
                "我不觉得这部电影一点也不精彩。",
                "我弟弟说这本书很无聊，但是我觉得它很有趣。",
                "这家酒店并不糟糕，尽管一个朋友说它很差。",
            )
        return (
            "the film was very good",
            "the film was not at all bad",
            "i do not think the film was not good",
            "my brother said it was boring but i think the book was really interesting",
            "the hotel was hardly awful even if a friend said it was quite bad",
        )


def _choose(count: int, n_first: int, n_second: int, share: float, generator: Generator) -> Tensor:
    """(count,) indices of two groups, one after the other; `share` of them are of the second."""
    first, second = (torch.randint(n, (count,), generator=generator) for n in (n_first, n_second))
    return torch.where(torch.rand(count, generator=generator) < share, n_first + second, first)
