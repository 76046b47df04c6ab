"""Translation of simple sentences from English to Chinese, in which most words have to change places."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Baseline, Batch, Split, Task, draw, python_random
from attnviz.tasks.language.english_chinese import PEOPLE, THINGS, translate, vocabulary, write
from attnviz.tasks.language.pairs import pair_batch
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Translation"]


@dataclass(frozen=True)
class Translation(Task):
    """An encoder-decoder reads an English sentence and writes it in Chinese, word by word.

        source  did the singer buy the red coat in the park yesterday ?
        read    <bos> 歌手 昨天 在 公园 里 买 了 红色 的 外套 吗 ？
        write   歌手 昨天 在 公园 里 买 了 红色 的 外套 吗 ？ <eos>

    In Chinese, time and place come before the verb; what an "of" or a relative clause says comes before the noun, with
    的 in between; behind numbers, 这 (this) and 那 (that) stands a measure word that depends on the noun; a question
    ends with 吗. A dozen words for each part make billions of sentences.

    Example:
        >>> task = Translation()
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.source_tokenizer.decode(batch.source[0].tolist())
        'will her manager draw five chairs that the engineer wants near the bridge ?'
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        '她 的 经理 会 在 桥 边 画 工程师 想要 的 五 把 椅子 吗 ？'
    """

    name = "translation"
    architecture = "encoder-decoder"
    metric = "exact match"
    tokenizer = Tokenizer("symbols", vocabulary()[1], add_bos=True)  # Chinese words, `<bos>` in front
    source_tokenizer = Tokenizer("symbols", vocabulary()[0])  # English words in small letters
    typed = tuple(  # sentences to type, each with its translation
        (english, " ".join(word.text for word in translate(english.split())))
        for english in (
            "yesterday my teacher bought two red apples at the market .",
            "the teacher of the school will photograph a bird in the garden tomorrow .",
            "did the farmer sell this old horse last week ?",
            "the girl who likes cats is drawing the house that the painter wants .",
            "are three doctors looking for the map of our driver near the river now ?",
        )
    )

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sentences. Split by subject and object: who does something with what is on one side only."""
        chosen = draw(n, split, lambda count: self._candidates(count, generator))  # (B, 2)
        random = python_random(generator)
        sentences = [write(PEOPLE[who][0], THINGS[what][0], random) for who, what in chosen.tolist()]
        pairs = [(english, [word.text for word in translate(english)]) for english in sentences]
        return pair_batch(pairs, self.source_tokenizer, self.tokenizer)

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        who, what = (torch.randint(len(nouns), (count,), generator=generator) for nouns in (PEOPLE, THINGS))
        return torch.stack((who, what), 1)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect the next word to be read from its source word, as long as the translation so far is right."""
        assert source is not None, "an encoder-decoder reads a source"
        chinese = translate([self.source_tokenizer.label(token) for token in source])
        pairs: list[tuple[int, int]] = []
        for position, word in enumerate(chinese[: len(tokens)]):
            if position and self.tokenizer.label(tokens[position]) != chinese[position - 1].text:
                break
            pairs += [(position, key) for key in word.sources]
        return (Pattern.of("source of the word", pairs, tokens, source),)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Every English word as the Chinese word that goes with it most (Dice's coefficient), in English order."""
        generator = Generator().manual_seed(seed)
        lexicon = self._lexicon(self._sentences(4096, generator, "train"))
        judged = self._sentences(2048, generator, "test")
        right = sum([lexicon[word] for word in english] == chinese for english, chinese in judged)
        return (Baseline("word by word", right / len(judged)),)

    def _sentences(self, n: int, generator: Generator, split: Split) -> list[tuple[list[str], list[str]]]:
        batch = self.sample(n, generator, split)
        assert batch.source is not None
        return [
            (self.source_tokenizer.decode(source).split(), self.tokenizer.decode(tokens).split())
            for source, tokens in zip(batch.source.tolist(), batch.tokens.tolist(), strict=True)
        ]

    def _lexicon(self, sentences: list[tuple[list[str], list[str]]]) -> dict[str, str]:
        """Return for every English word the Chinese word with the highest 2 n(both) / (n(English) + n(Chinese))."""
        once, other = Counter[str](), Counter[str]()
        together: dict[str, Counter[str]] = defaultdict(Counter)
        for english, chinese in sentences:
            once.update(set(english))
            other.update(set(chinese))
            for word in set(english):
                together[word].update(set(chinese))
        return {
            word: max(sorted(found), key=lambda chinese: found[chinese] / (once[word] + other[chinese]))
            for word, found in together.items()
        }

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the words of the translation, then `<eos>`; none where the source is no sentence of the grammar."""
        assert source is not None, "an encoder-decoder reads a source"
        english = [self.source_tokenizer.label(token) for token in source]
        chinese = [word.text for word in translate(english)]
        if not chinese:
            return super().answers(tokens)
        return pair_batch([(english, chinese)], self.source_tokenizer, self.tokenizer).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A sentence of the grammar."""
        return bool(translate(symbols))

    def mended(self, text: str) -> Iterable[str]:
        """With a full stop at the end."""
        return (f"{text} .",)

    def model_config(self) -> ModelConfig:
        """Return a network of one layer each side; cross-attention in between shows which words became which."""
        return self.transformer(32, d_model=64, n_heads=4, n_layers=1, d_ff=256, source_max_len=32)
