"""Statements about sentiment, entities, translation, summaries and dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from attnviz.tasks import IGNORE
from attnviz.tasks.language.dialogue import SLOT_AFTER, SYSTEM, turns
from tests.statements.looking import Seen, ablated, look, model_of, pattern_cells, read, task_of
from tests.statements.statement import Bound, at_least, at_most, between, statement

POOLED = "readout.0.cross"
CROSS = ("decoder.0.cross", "decoder.1.cross")


def best(seen: Seen, sites: Sequence[str], pattern: str) -> float:
    """Share of the queries of the best head whose largest weight lies where the pattern says."""
    return max(read(seen, site, head, pattern).hits for site in sites for head in range(seen.weights[site].shape[1]))


def distances(seen: Seen) -> Tensor:
    """From the most attended token of each text to the nearest that decides: (B,)."""
    found = []
    for row, cells in enumerate(pattern_cells(seen, POOLED, "negation and opinion")):
        if cells is not None:
            top = seen.weights[POOLED][row, 0, 0].argmax()
            found.append((cells[0].nonzero()[:, 0] - top).abs().min())
    return torch.stack(found)


def baseline(name: str, which: str) -> float:
    return next(score for each, score in model_of(name).card.baselines if each == which)


@statement(
    "task.sentiment-en.shows", "picks a few states, mostly those of the opinion and its negation", "评价词和否定词"
)
def sentiment_en_reads() -> Iterator[Bound]:
    seen = look("sentiment-en")
    yield at_least("largest weight on negation or opinion", (distances(seen) == 0).double().mean(), 0.6)
    yield at_least("weight of the three largest", seen.weights[POOLED][:, 0, 0].topk(3).values.sum(-1).mean(), 0.7)


@statement("task.sentiment-zh.shows", "a few characters in or beside the opinion and its negation", "之中或旁边")
def sentiment_zh_reads() -> Iterator[Bound]:
    seen = look("sentiment-zh")
    yield at_least("largest weight in or beside them", (distances(seen) <= 1).double().mean(), 0.75)
    yield at_least("largest weight beside them", (distances(seen) == 1).double().mean(), 0.1)


@statement("task.sentiment-far.shows", "more often beside it than on it", "落在旁边比落在词上更常见")
def sentiment_far_reads() -> Iterator[Bound]:
    away = distances(look("sentiment-far"))
    beside, on = (away == 1).double().mean(), (away == 0).double().mean()
    yield at_least("beside, less on", beside - on, 0.1)
    yield at_least("near", (away <= 3).double().mean(), 0.85)


@statement(
    "task.sentiment-far.about", "With attention pooling the network can tell such texts apart", "用注意力池化就能区分"
)
@statement("task.sentiment-far.about", "from its last states alone it cannot", "只用最后的状态则不能")
@statement("task.sentiment-far-last.about", "not expected to succeed", "预期不会成功")
@statement("task.sentiment-far-last.shows", "far from the ends did not reach them", "没有保留到那里")
@statement("task.sentiment-far-mean.about", "The network finds it there too", "这样也能学会")
@statement("task.sentiment-far-max.about", "the largest value of every hidden unit", "最大值")
def sentiment_far_scores() -> Iterator[Bound]:
    yield at_least("by attention", look("sentiment-far").score, 0.95)
    yield at_least("by the mean", look("sentiment-far-mean").score, 0.95)
    yield at_least("by the maximum", look("sentiment-far-max").score, 0.95)
    yield at_most("by the last state", look("sentiment-far-last", 600).score, 0.65)


@statement("task.sentiment-far-last.shows", "There are no weights here", "这里没有权重")
@statement("task.sentiment-far-mean.shows", "There are no weights to learn here", "没有要学的权重")
@statement("task.sentiment-far-max.shows", "There are no weights here", "这里没有权重")
@statement("task.entities-lstm.shows", "There is no attention here", "这里没有注意力")
@statement("task.english-lstm.shows", "There is no attention here", "这里没有注意力")
@statement("task.digits-lstm.shows", "There is no attention here", "这里没有注意力")
@statement("task.sessions-lstm.shows", "There is no attention here", "这里没有注意力")
@statement("task.series-lstm.shows", "There is no attention to show", "没有注意力可以显示")
def models_without_attention() -> Iterator[Bound]:
    names = ["far-last", "far-mean", "far-max"]
    for name in [f"sentiment-{each}" for each in names] + [
        f"{each}-lstm" for each in ("entities", "english", "digits", "sessions", "series")
    ]:
        config = model_of(name).config
        yield between(f"heads of {name}", config.n_heads, 0, 0)


@statement("task.sentiment-en.about", "Counting words hardly helps", "几乎无效")
@statement("task.sentiment-zh.about", "reverses a synthetic opinion, a double negation cancels out", "反")
@statement("applications.sentiment.about", "A negation reverses it", "否定")
def words_alone_do_not_tell() -> Iterator[Bound]:
    for name in ("sentiment-en", "sentiment-zh"):
        yield at_most(f"bag of words, {name}", baseline(name, "bag of words"), 0.65)
        yield at_least(f"the model, {name}", look(name).score, 0.97)


@statement("task.sentiment-en.about", "in half of the texts somebody else has an opinion too", "一半")
def half_have_another_opinion() -> Iterator[Bound]:
    seen = look("sentiment-en", 1000)
    said = task_of("sentiment-en").words.said  # type: ignore[attr-defined]
    texts = [seen.model.tokenizer.decode(tokens) for tokens, _ in seen.rows()]
    yield between(
        "texts with somebody else's", sum(f" {said} " in f" {text} " for text in texts) / len(texts), 0.42, 0.58
    )


@statement("task.entities.shows", "A head may read the verb from the subject", "动词")
def entities_read_the_verb() -> Iterator[Bound]:
    seen = look("entities")
    found = [
        read(seen, site, head, "verb of the subject")
        for site in ("encoder.0.self", "encoder.1.self")
        for head in (0, 1)
    ]
    yield at_least("best head over chance", max(each.mass / each.chance for each in found), 2)


@statement("task.entities.about", "about half of their names were never seen: they are read as <unk>", "<unk>")
@statement(
    "applications.entities.about",
    "more than half of the names in the test contain a word that never occurs in training",
    "一半以上",
)
def entities_are_new() -> Iterator[Bound]:
    seen = look("entities", 600)
    tokenizer, labels = seen.model.tokenizer, seen.task.labels
    unknown = tokenizer.label(tokenizer.encode_symbols(("never-said",))[0])
    new: dict[str, list[bool]] = {}
    for row, (tokens, _) in enumerate(seen.rows()):
        kinds = [labels[i] if i != IGNORE else "O" for i in seen.batch.targets[row, : len(tokens)].tolist()]
        for place, kind in enumerate(kinds):
            if kind.startswith("B-"):
                end = next((i for i in range(place + 1, len(kinds)) if kinds[i] != f"I-{kind[2:]}"), len(kinds))
                words = [tokenizer.label(token) for token in tokens[place:end]]
                new.setdefault(kind[2:], []).append(unknown in words)
    named = [each for kind in ("PER", "LOC", "ORG") for each in new[kind]]
    yield between("names with a word that training never had", sum(named) / len(named), 0.505, 0.65)
    yield at_least("F1", seen.score, 0.97)


@statement("task.translation.shows", "each Chinese word should read the English words it comes from", "来自的英文词")
@statement(
    "applications.translation.shows", "often follows the alignment of words, but it does not have to", "对应关系"
)
def translation_is_aligned() -> Iterator[Bound]:
    for name in ("translation", "translation-lstm"):
        seen = look(name)
        found = best(seen, [site for site in CROSS if site in seen.weights], "source of the word")
        yield between(f"best head on the source, {name}", found, 0.6, 0.95)


@statement("task.translation-lstm.about", "with additive attention", "加性注意力")
def translation_lstm() -> Iterator[Bound]:
    yield between("additive", float(model_of("translation-lstm").config.attention == "additive"), 1, 1)
    yield at_least("exact match", look("translation-lstm").score, 0.97)


@statement("task.translation.about", "the word order really changes", "语序")
@statement("applications.translation.about", "where the word order differs", "语序")
def translation_changes_the_order() -> Iterator[Bound]:
    yield at_most("word by word", baseline("translation", "word by word"), 0.1)
    yield at_least("exact match", look("translation").score, 0.97)


@statement(
    "task.extract.shows",
    "find the word that decides, at times one sentence back, and compare it with the topic",
    "上一句",
)
def extract_reads_both() -> Iterator[Bound]:
    seen = look("extract")
    sites = ("encoder.0.self", "encoder.1.self")
    yield at_least("best head on the word of the topic", best(seen, sites, "word of the topic"), 0.6)
    yield at_least("best head on the question", best(seen, sites, "question"), 0.4)


@statement("task.extract.about", "a sentence with “it” continues the topic of the one before", "it")
@statement("applications.extract.about", "continues the topic of the one before", "前一句")
def extract_follows_it() -> Iterator[Bound]:
    seen, back = look("extract"), 0
    ends = seen.model.tokenizer.encode_symbols((".",))[0]
    for row, cells in enumerate(pattern_cells(seen, "encoder.0.self", "word of the topic")):
        tokens = seen.rows()[row][0]
        for query, key in [] if cells is None else cells.nonzero().tolist():
            back += ends in tokens[key:query]
    yield at_least("sentences whose word stands one sentence back", back, 100)
    yield at_least("decisions that are right", seen.score, 0.97)


ENCODER = ("encoder.0.self", "encoder.1.self")


@statement("task.comprehension.shows", "read the same word in the question far more than chance", "远高于随机")
def comprehension_finds_the_copy() -> Iterator[Bound]:
    seen = look("comprehension")
    reads = [read(seen, ENCODER[0], head, "same word in the question") for head in range(4)]
    yield at_least("times chance", max(each.mass / each.chance for each in reads), 5)


@statement(
    "task.comprehension.shows", "attend to those words of their own sentence that the question names", "第二层中"
)
def comprehension_reads_its_sentence() -> Iterator[Bound]:
    found = best(look("comprehension"), ENCODER[1:], "word that the question names")
    yield at_least("best head of the second layer on named words of the answer's sentence", found, 0.55)


@statement("task.comprehension.shows", "Fewer than one test text in thirty is wrong", "不到三十分之一")
def comprehension_is_nearly_always_right() -> Iterator[Bound]:
    yield at_most("texts that are wrong", 1 - look("comprehension", 600).score, 0.033)


@statement("task.comprehension.about", "It is right more often than choosing", "更常答对")
@statement("applications.comprehension.about", "in which sentence do they stand", "在哪个句子里")
def comprehension_is_learned() -> Iterator[Bound]:
    yield between("sentence with the most shared words", baseline("comprehension", "most shared words"), 0.85, 0.97)
    yield at_most("first sentence", baseline("comprehension", "first sentence"), 0.5)
    lead = model_of("comprehension").card.score - baseline("comprehension", "most shared words")
    yield at_least("lead over the shared words", lead, 0.03)


@statement("task.headline.shows", "from which field each word is copied", "哪个字段")
def headline_copies() -> Iterator[Bound]:
    yield at_least("best head on the field", best(look("headline"), CROSS, "value of the field"), 0.9)


@statement("task.headline.shows", "Before the verb it reads both scores", "两个比分")
def headline_reads_both_scores() -> Iterator[Bound]:
    seen = look("headline")
    masses = [read(seen, site, head, "both scores").mass for site in CROSS for head in range(2)]
    yield at_least("best head on both scores", max(masses), 0.9)


@statement("task.headline.about", "the verb depends on comparing two numbers", "比较")
@statement("applications.headline.about", "it has to compare two numbers", "比较数值")
def headline_compares() -> Iterator[Bound]:
    seen = look("headline")
    yield at_most("fields alone", baseline("headline", "fields without comparing"), 0.6)
    yield at_least("exact match", seen.score, 0.97)
    without = [
        seen.task.accuracy(ablated(seen, site), seen.batch) for site in CROSS
    ]  # cross-attention is where the numbers come from
    yield at_most("exact match without one layer's cross-attention", min(without), 0.7)


@statement("task.dialogue.shows", "attention reads where that value was said last", "最后一次被说出")
def dialogue_reads_the_latest() -> Iterator[Bound]:
    seen, shares = look("dialogue"), []
    cells = {site: pattern_cells(seen, site, "latest mention") for site in ("decoder.0.self", "decoder.1.self")}
    for row, (tokens, _) in enumerate(seen.rows()):
        wanted = cells["decoder.1.self"][row]
        if wanted is not None:
            heads = [seen.weights[site][row, :, : len(tokens), : len(tokens)] for site in cells]
            shares.append((torch.cat(heads) * wanted).sum(-1).amax(0)[wanted.any(1)])
    yield at_least("values with a head that has more than half there", (torch.cat(shares) > 0.5).double().mean(), 0.95)


@statement("task.dialogue.shows", "more often than not two turns earlier or more", "两轮或更早")
def dialogue_looks_far_back() -> Iterator[Bound]:
    tokenizer, back = model_of("dialogue").tokenizer, []
    for tokens, _ in look("dialogue", 600).rows():
        text = [tokenizer.label(token) for token in tokens]
        spans = list(turns(text))
        for now, (start, end) in enumerate(spans):
            for place in range(start, end if text[start] == SYSTEM else start):
                slot = SLOT_AFTER.get(text[place])
                if slot is not None and place + 1 < len(text):
                    said = [t for t in range(now) if text[place + 1] in text[slice(*spans[t])]]
                    back += [now - said[-1]] if said else []
    yield at_least("values said", len(back), 1000)
    yield between("two turns earlier or more", sum(each >= 2 for each in back) / len(back), 0.5, 0.7)


@statement("task.dialogue.about", "the latest value counts", "最后说的为准")
@statement("applications.dialogue.about", "the latest value counts", "最后说的为准")
def dialogue_follows_changes() -> Iterator[Bound]:
    yield at_most("the values said first", baseline("dialogue", "values said first"), 0.7)
    yield at_least("exact match", look("dialogue").score, 0.97)
