"""Character language models: the next character of little stories, in English or in Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from random import Random
from typing import Literal

import torch
from torch import Generator, Tensor

from attnviz.errors import SettingNotOffered
from attnviz.models.bundle import Example
from attnviz.tasks.base import BUCKETS, Baseline, Batch, Split
from attnviz.tasks.choice import one_of, whole
from attnviz.tasks.language import stories_en, stories_zh
from attnviz.tasks.language.character import CharacterTask, pieces
from attnviz.tasks.language.ngram import text_baselines
from attnviz.tokenizers import Tokenizer

__all__ = ["Language", "Stories", "corpus"]

Language = Literal["en", "zh"]
STORIES: dict[Language, int] = {"en": 3000, "zh": 4000}
WRITERS = {"en": stories_en, "zh": stories_zh}
SENTENCE_END: dict[Language, str] = {"en": r"\n|[.!] ", "zh": r"\n|[。！]"}


@cache
def corpus(language: Language) -> tuple[str, ...]:
    """Return all stories of a language, each once: 1,350,000 characters of English, 640,000 of Chinese."""
    random = Random(2024)
    return tuple(dict.fromkeys(WRITERS[language].story(random) for _ in range(STORIES[language])))


def _bucket(story: str) -> int:
    return int.from_bytes(sha256(story.encode()).digest()[:8]) % 20


@dataclass(frozen=True)
class Stories(CharacterTask):
    """A decoder predicts each next character; a story ends with a line break.

        read    <bos> O n c e   u p o n   a
        write   O     n c e   u p o n   a

    A sequence begins at the beginning of a random sentence and goes on, into the next story if there is room.

    Example:
        >>> task = Stories(language="en", length=24)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'For her birthday, Emma '
        >>> task.tokenizer.decode(batch.targets[0].tolist())
        'For her birthday, Emma h'

    Attributes:
        language: "en" or "zh".
        length: tokens of a training sequence.

    Raises:
        ConfigError: no such language, a length of 0 or more than 4,096.
    """

    language: Language = one_of("en", tuple(STORIES))
    length: int = whole(512, 1, 4096, offered=range(64, 513, 64))

    name = "stories"

    def __post_init__(self) -> None:
        if self.language not in STORIES:
            raise SettingNotOffered("language", self.language, list(STORIES))
        super().__post_init__()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Every character of the corpus, and `<bos>` in front of a text."""
        return Tokenizer("characters", tuple(sorted(WRITERS[self.language].CHARACTERS)), add_bos=True)

    @property
    def reads(self) -> str:
        """English or Chinese."""
        return f"stories-{self.language}"

    def stories(self, split: Split) -> list[str]:
        """Return the stories of a split, which a hash of the story decides."""
        return [story for story in corpus(self.language) if _bucket(story) in BUCKETS[split]]

    @cached_property
    def _texts(self) -> dict[Split, tuple[Tensor, Tensor]]:
        """Text of each split: its ids (N,), and the places where sentences begin (S,)."""
        return {split: self._encode(self.stories(split)) for split in BUCKETS}

    def _encode(self, stories: list[str]) -> tuple[Tensor, Tensor]:
        text = "".join(story + "\n" for story in stories)
        starts = [0, *(end.end() for end in re.finditer(SENTENCE_END[self.language], text))]
        last = len(text) - self.length - 1
        ids = torch.tensor(self.tokenizer.encode_symbols(text))
        return ids, torch.tensor([start for start in starts if start <= last])

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n pieces of the split's text."""
        ids, starts = self._texts[split]
        chosen = starts[torch.randint(len(starts), (n,), generator=generator)]  # (B,)
        return pieces(ids, chosen, self.length)

    def training_text(self) -> tuple[Tensor, Tensor]:
        """Return the ids of the whole training text (N,), and where its pieces may begin (S,)."""
        return self._texts["train"]

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """n-gram models of the training text."""
        return text_baselines(self, *self.training_text(), seed)

    def texts(self) -> tuple[Example, ...]:
        """Return the beginning of a story, and texts in which names and colours come back."""
        if self.language == "zh":
            return (
                "从前，有一只善良的兔子，名字叫朵朵。她有一把红色的雨伞，走到哪里都带着。",
                "静云是一位画家，住在海边。奶奶送给她一条蓝色的围巾。可是在路上，一阵大风把围巾吹走了。"
                "这时候，朋友小明拿着蓝色的围巾跑来了。“谢谢你，小明，”静云说",
                "“你是谁？”蜗牛问。“我叫嘉远，”嘉远说，“我丢了一盏绿色的提灯。”",
            )
        return (
            "Once upon a time there was a brave fox named Zoe. She had a red kite, and she took it everywhere.",
            "Zimo was a shy robot who lived by the sea. His grandmother had given him a purple umbrella. "
            "But the wind took the umbrella and carried it away. Then Talira came running with the purple umbrella. "
            '"Thank you, Talira," said Zimo.',
            "Long ago, a clever owl called Denu lived in the attic with Rosafi the mouse. Every evening Denu told",
        )
