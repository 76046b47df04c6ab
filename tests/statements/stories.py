"""Statements about the character language models: what is read, and what is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.tasks import Batch, Stories
from attnviz.tasks.base import IGNORE
from attnviz.tasks.language import stories_en, stories_zh
from attnviz.tasks.language.stories import Language, corpus
from attnviz.tasks.language.stories_en import BOYS as EN_BOYS
from attnviz.tasks.language.stories_en import GIRLS as EN_GIRLS
from attnviz.tasks.language.stories_zh import BOYS as ZH_BOYS
from attnviz.tasks.language.stories_zh import GIRLS as ZH_GIRLS
from tests.statements.looking import AT_LEAST, FRESH_SEED, Seen, attended, look, model_of
from tests.statements.statement import Bound, at_least, at_most, between, statement

LENGTH = 160  # characters of a piece: as far back as the statements go, and quick
FROM = 80  # queries with at least so many characters before them
NAMES: dict[Language, tuple[str, ...]] = {"en": (*EN_BOYS, *EN_GIRLS), "zh": (*ZH_BOYS, *ZH_GIRLS)}
LONGEST: dict[Language, int] = {"en": 160, "zh": 80}  # characters before the second mention
MODELS: dict[Language, str] = {"en": "english", "zh": "chinese"}


@cache
def pieces(language: Language) -> Seen:
    return look(MODELS[language], AT_LEAST, Stories(language, length=LENGTH))


@cache
def by_distance(language: Language, site: str) -> Tensor:
    """Mean weight of each head on the character d before the query's own: (H, FROM)."""
    weights = pieces(language).weights[site]  # (B, H, T, T)
    rows = [weights[:, :, query, query - FROM + 1 : query + 1].flip(-1).mean(0) for query in range(FROM, LENGTH)]
    return torch.stack(rows).mean(0)


@cache
def on_the_word() -> Tensor:
    """Mean weight of the heads of layer 1 on the letters of the word being written, up to the query: (H,)."""
    seen, shares = pieces("en"), []
    letters = torch.tensor([seen.model.tokenizer.label(i).isalpha() for i in range(seen.model.tokenizer.vocab_size)])
    for row, tokens in enumerate(seen.batch.tokens):
        is_letter = letters[tokens]
        start = FROM
        for query in range(FROM, LENGTH):
            if is_letter[query]:
                start = query
                while is_letter[start - 1]:
                    start -= 1
                shares.append(seen.weights["decoder.1.self"][row, :, query, start : query + 1].sum(-1))
    return torch.stack(shares).mean(0)


@statement(
    "zoo.english.about",
    "Three of the four heads of layer 1 put about half of their weight or more on the word being written",
    "第 1 层的四个 head 中有三个",
)
@statement("zoo.english.about", "above all on the previous character", "前一个字符")
def english_layer_1() -> Iterator[Bound]:
    on_word, near = on_the_word(), by_distance("en", "decoder.1.self")
    chosen = on_word > 0.45
    yield between("heads with about half on the word", chosen.sum(), 3, 3)
    yield at_most("weight of the fourth on the word", on_word.min(), 0.4)
    for head in chosen.nonzero()[:, 0].tolist():
        yield between(f"head {head} reads most", near[head].argmax(), 1, 1)


@statement(
    "zoo.english.about", "those of layer 0 gather from the last ten or thirty characters", "最近的十到三十个字符"
)
def english_layer_0() -> Iterator[Bound]:
    near = by_distance("en", "decoder.0.self")
    for head in range(4):
        yield at_least(f"head {head} within ten", near[head, :10].sum(), 0.5)
        yield at_least(f"head {head} within thirty", near[head, :30].sum(), 0.8)


@statement(
    "task.english.about", "Some heads learn to read the last few characters, the previous one more", "前一个字符最多"
)
@statement("task.english-short.about", "Some heads learn to read the last few characters", "前一个字符最多")
@statement(
    "task.chinese.about", "heads that read the last few characters, the previous one more than any", "前一个字符最多"
)
@statement("task.chinese-short.about", "heads that read the last few characters", "前一个字符最多")
@statement("applications.language.shows", "Some heads read mainly the last few characters", "最近的几个字符")
def some_heads_read_the_last_few() -> Iterator[Bound]:
    for language in MODELS:
        near = torch.cat([by_distance(language, f"decoder.{layer}.self") for layer in range(2)])
        mainly = (near[:, :5].sum(-1) > 0.5) & (near.argmax(-1) == 1)
        yield at_least(f"heads with half on five characters and most on the previous, {language}", mainly.sum(), 1)


@statement("task.english.about", "It sees 512 characters at a time, as the shipped model does", "512")
@statement("task.chinese.about", "It sees 512 characters at a time, as the shipped model does", "512")
def contexts() -> Iterator[Bound]:
    for language, name in MODELS.items():
        yield between(name, model_of(name).config.max_len, 512, 512)
        yield between(f"recipe, {name}", Stories(language).length, 512, 512)


class Mention(NamedTuple):
    """A story as far as the second mention of the name that it begins with."""

    text: str
    name: str
    first: int


@cache
def second_mentions(language: Language) -> list[Mention]:
    """New stories, in none of the splits, whose first known name comes again soon; as far as the second mention."""
    random, write = Random(FRESH_SEED), stories_en.story if language == "en" else stories_zh.story
    found: list[Mention] = []
    while len(found) < AT_LEAST:
        story = write(random)
        placed = sorted((story.find(name), name) for name in NAMES[language] if name in story)
        first, name = placed[0] if placed else (-1, "")
        again = story.find(name, first + 1) if placed else -1
        alike = any(other in name or name in other for _, other in placed[1:])
        if 0 < again < LONGEST[language] and not alike and story not in corpus(language):
            found.append(Mention(story[:again], name, first))
    return found


def run(language: Language, texts: list[str]) -> tuple[Seen, Tensor]:
    """The model on texts of unlike length, and where each ends."""
    model = model_of(MODELS[language])
    ids = [model.tokenizer.encode(text) for text in texts]
    ends = torch.tensor([len(row) for row in ids]) - 1
    tokens = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in ids], True)  # causal: what follows is unread
    return attended(model, Stories(language), Batch(tokens, torch.full_like(tokens, IGNORE))), ends


def probability(seen: Seen, ends: Tensor, symbols: list[str]) -> float:
    ids = torch.tensor([seen.model.tokenizer.encode_symbols((symbol,))[-1] for symbol in symbols])
    return float(seen.logits[torch.arange(len(ends)), ends].softmax(-1)[torch.arange(len(ends)), ids].mean())


def renamed(mention: Mention, other: str) -> str:
    return mention.text.replace(mention.name, other)


@statement("zoo.english.about", "This small model does not look names up", "不会查找名字")
@statement("applications.language.shows", "this small English one does not", "英文模型不会")
def english_guesses_names() -> Iterator[Bound]:
    mentions = second_mentions("en")
    others = [next(name for name in NAMES["en"] if name[0] not in each.text + each.name) for each in mentions]
    initials = [each.name[0] for each in mentions]
    before = probability(*run("en", [each.text for each in mentions]), initials)
    after = probability(*run("en", [renamed(*pair) for pair in zip(mentions, others, strict=True)]), initials)
    yield at_most("probability of the right initial", before, 0.25)
    yield between("what it loses when the earlier mentions are renamed", before - after, -0.05, 0.08)


@statement(
    "zoo.chinese.about", "it reads the character that followed it at an earlier mention", "之前某次提到时紧随其后"
)
def chinese_head_reads_the_second_character() -> Iterator[Bound]:
    mentions = second_mentions("zh")
    seen, ends = run("zh", [each.text + each.name[0] for each in mentions])
    weights = seen.weights["decoder.1.self"][torch.arange(len(ends)), 1, ends]  # (B, Tk)
    wanted = torch.tensor([each.first for each in mentions]) + 2  # <bos>, then the character after the first
    yield at_least(
        "largest weight on the character after the earlier mention", (weights.argmax(-1) == wanted).double().mean(), 0.5
    )


@statement("task.chinese.about", "one that finds a name where it stood before", "名字重现时")
@statement("applications.language.shows", "The Chinese model also looks up names where they stood before", "中文模型")
def chinese_looks_up_names() -> Iterator[Bound]:
    mentions = second_mentions("zh")
    firsts = [each.name[0] for each in mentions]
    seconds = [each.name[1] for each in mentions]
    other = [f"{each.name[0]}{next(n[1] for n in NAMES['zh'] if n[1] not in each.text)}" for each in mentions]
    texts = [each.text + first for each, first in zip(mentions, firsts, strict=True)]
    changed = [renamed(each, name) + name[0] for each, name in zip(mentions, other, strict=True)]
    before, after = probability(*run("zh", texts), seconds), probability(*run("zh", changed), seconds)
    yield at_least("probability of the right second character", before, 0.6)
    yield at_least("what it loses when the earlier mentions are renamed", before - after, 0.3)
