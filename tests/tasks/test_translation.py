"""Translation: an independent translation, made of regular expressions, must agree; nothing leaks; words align."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Generator

from attnviz.errors import UnknownSymbols
from attnviz.tasks.base import SPLITS, Split
from attnviz.tasks.language.english_chinese import (
    ACTIONS,
    ADJECTIVES,
    ALIVE,
    ASPECTS,
    LIKES,
    MEASURES,
    NAMES,
    NOUNS,
    OWNER_NAMES,
    PAST_FORMS,
    PEOPLE,
    POINTING,
    POSSESSIVES,
    THINGS,
    TIMES,
    translate,
)
from attnviz.tasks.language.translation import Translation
from attnviz.tokenizers import Tokenizer

GOLD = (  # translated by hand
    ("the boy bought a book .", "男孩 买 了 一 本 书 。"),
    ("did the boy buy a book ?", "男孩 买 了 一 本 书 吗 ？"),
    ("tomorrow my teacher will sell this old car .", "明天 我 的 老师 会 卖 这 辆 旧 汽车 。"),
    ("my teacher will sell this old dog tomorrow .", "我 的 老师 明天 会 卖 这 条 老 狗 。"),
    ("my friendly cook praised her expensive coat .", "我 那 位 友好 的 厨师 称赞 了 她 那 件 昂贵 的 外套 。"),
    ("her driver bought our new map .", "她 的 司机 买 了 我们 的 新 地图 。"),
    ("two students are drawing the house of her driver .", "两 个 学生 正在 画 她 司机 的 房子 。"),
    ("the girl is drawing three birds near the river now .", "女孩 现在 正在 河 边 画 三 只 鸟 。"),
    ("the girl is drawing three birds near the park now .", "女孩 现在 正在 公园 附近 画 三 只 鸟 。"),
    ("the boy of the village looked for this tree at the station .", "村里 的 男孩 在 车站 找 过 这 棵 树 。"),
    ("did the boy look for this tree in the village ?", "男孩 在 村子 里 找 过 这 棵 树 吗 ？"),
    (
        "will that farmer who needs horses look for my coat at the market ?",
        "那 位 需要 马 的 农民 会 在 市场 找 我 的 外套 吗 ？",
    ),
    ("this tall guide drew five boats that the boy likes .", "这 位 高个子 的 导游 画 了 男孩 喜欢 的 五 条 船 。"),
    (
        "this morning the nurse of the hospital chose an umbrella that the boy likes .",
        "今天早上 医院 的 护士 挑选 了 男孩 喜欢 的 一 把 雨伞 。",
    ),
)


def alternatives(names: object) -> str:
    return "|".join(sorted(names, key=len, reverse=True))  # type: ignore[call-overload]


NOUN, DETERMINER = alternatives(NOUNS), alternatives(("the", *POINTING, *POSSESSIVES))
PHRASE = re.compile(
    rf"(?P<det>{DETERMINER}) (?:(?P<adj>{alternatives(ADJECTIVES)}) )?(?P<noun>{NOUN})"
    rf"(?: of (?P<whose>{DETERMINER}) (?P<owner>{alternatives((*NOUNS, *OWNER_NAMES))})"
    rf"| who (?P<does>{alternatives(LIKES)}) (?P<what>{NOUN})"
    rf"| that the (?P<who>{NOUN}) (?P<likes>{alternatives(LIKES)}))?"
)
GROUPLESS = re.sub(r"\?P<\w+>", "?:", PHRASE.pattern)
TIME = alternatives(TIMES)
SENTENCE = re.compile(
    rf"(?:(?P<front>{TIME}) )?(?:(?P<asks>did|will|is|are) )?(?P<subject>{GROUPLESS}) (?:(?P<aux>will|is|are) )?"
    rf"(?P<verb>{alternatives(ACTIONS)})(?: for)? (?P<object>{GROUPLESS})"
    rf"(?: (?P<prep>in|on|at|near) the (?P<place>{alternatives(NAMES)}))?(?: (?P<time>{TIME}))? [.?]"
)


def chinese_phrase(english: str) -> str:
    found = PHRASE.fullmatch(english)
    assert found, english
    part = {name: value or "" for name, value in found.groupdict().items()}
    determiner, adjective = part["det"], ADJECTIVES.get(part["adj"], "")
    text = ""
    if part["owner"]:
        text += POSSESSIVES.get(part["whose"], "") + (NOUNS | OWNER_NAMES)[part["owner"]] + "的"
    if part["who"]:
        text += NOUNS[part["who"]] + LIKES[part["likes"]] + "的"
    if determiner in POINTING:
        text += POINTING[determiner] + MEASURES[part["noun"]]
    if determiner in POSSESSIVES:
        text += POSSESSIVES[determiner] + ("那" + MEASURES[part["noun"]] if len(adjective) > 1 else "的")
    if part["does"]:
        text += LIKES[part["does"]] + NOUNS[part["what"]] + "的"
    if part["adj"] == "old" and part["noun"] in ALIVE:
        adjective = "老"
    return text + adjective + "的" * (len(adjective) > 1) + NOUNS[part["noun"]]


def by_expressions(english: str) -> str:
    """The Chinese sentence without spaces, put together from the parts that one expression finds."""
    found = SENTENCE.fullmatch(english)
    assert found, english
    part = {name: value or "" for name, value in found.groupdict().items()}
    auxiliary = part["asks"] or part["aux"]
    near = "边" if part["place"] in ("river", "bridge") else "附近"
    behind = {"in": "里", "on": "上", "near": near}.get(part["prep"], "")
    place = NAMES[part["place"]] + behind if part["place"] else ""
    helper = {"will": "会", "is": "正在", "are": "正在"}.get(auxiliary, "")
    if place and helper != "正在":
        helper += "在"
    past = part["verb"] in PAST_FORMS or auxiliary == "did"
    return "".join(
        (
            TIMES.get(part["front"], ""),
            chinese_phrase(part["subject"]),
            TIMES.get(part["time"], ""),
            helper,
            place,
            ACTIONS[part["verb"]],
            ASPECTS[part["verb"]] if past else "",
            chinese_phrase(part["object"]),
            "吗？" if part["asks"] else "。",
        )
    )


COUNTED = """
位 老师 医生 司机 画家 农民 歌手 护士 工程师 作家 厨师 园丁 导游 经理
个 学生 男孩 女孩 苹果 杯子 包
本 书
幅 图画
支 钢笔
块 蛋糕
盏 灯
辆 自行车 汽车
匹 马
只 猫 鸟 风筝
条 狗 船 围巾
把 雨伞 椅子
张 地图
件 外套 衬衫
棵 树
座 房子
架 钢琴
"""  # each measure word with the nouns that it counts


def test_each_noun_is_counted_with_its_measure_word() -> None:
    rows = [line.split() for line in COUNTED.strip().splitlines()]
    assert {row[1]: row[2] for row in PEOPLE + THINGS} == {noun: row[0] for row in rows for noun in row[1:]}
    for person, thing in zip(PEOPLE, THINGS, strict=False):
        english = f"two {person[0]}s bought that {thing[0]} ."
        found = "".join(word.text for word in translate(english.split()))
        assert found == f"两{person[2]}{person[1]}买了那{thing[2]}{thing[1]}。"


def test_no_sentence_has_what_a_chinese_reader_stumbles_over() -> None:
    """No determiner before a clause with a subject, no 的 twice for one noun, no 寻找了, nothing alive that is 旧."""
    person = alternatives(row[1] for row in PEOPLE)
    like = alternatives(LIKES.values())
    alive = alternatives(NOUNS[name] for name in ALIVE)
    wrong = re.compile(
        rf"[一这那两三五] (?:{alternatives(set(MEASURES.values()))}) (?:{person}) (?:{like}) 的"
        rf"|(?:我|她|我们) 的 (?:\S+) 的|找 了|[旧新大小老] 的|高 的|(?:河|桥) 附近|旧 (?:{alive})|在 在"
    )
    for english, chinese in sentences(4000, seed=5):
        assert not wrong.search(chinese), (english, chinese)


def sentences(n: int, split: Split = "train", seed: int = 3) -> list[tuple[str, str]]:
    task = Translation()
    batch = task.sample(n, Generator().manual_seed(seed), split)
    assert batch.source is not None
    sources = [task.source_tokenizer.decode(row) for row in batch.source.tolist()]
    return list(zip(sources, map(task.tokenizer.decode, batch.tokens.tolist()), strict=True))


@pytest.mark.parametrize(("english", "chinese"), GOLD)
def test_translations_made_by_hand(english: str, chinese: str) -> None:
    assert " ".join(word.text for word in translate(english.split())) == chinese


def test_another_translation_agrees() -> None:
    found = sentences(3000)
    for english, chinese in found:
        assert chinese.replace(" ", "") == by_expressions(english), english
    assert len({english for english, _ in found}) > 2900
    assert sum(english.endswith("?") for english, _ in found) > 400
    for piece in (" of ", " who ", " that the ", " near ", "an ", "look", "this morning"):
        assert any(piece in english for english, _ in found), piece


def test_targets_are_the_translation_and_its_end() -> None:
    task = Translation()
    batch = task.sample(50, Generator().manual_seed(1))
    for tokens, targets in zip(batch.tokens.tolist(), batch.targets.tolist(), strict=True):
        read = [token for token in tokens if token]
        due = [target for target in targets if target >= 0]
        assert read == [Tokenizer.bos_id, *due[:-1]]
        assert due[-1] == Tokenizer.eos_id


def pairs_of(split: Split) -> set[tuple[str, str]]:
    """Who does something with what, in each sentence."""
    found = set()
    for english, _ in sentences(3000, split):
        matched = SENTENCE.fullmatch(english)
        assert matched, english
        parts = [PHRASE.fullmatch(matched[name]) for name in ("subject", "object")]
        who, what = (part["noun"] for part in parts if part)
        found.add((NOUNS[who], NOUNS[what]))
    return found


def test_who_does_something_with_what_is_on_one_side_only() -> None:
    found = {split: pairs_of(split) for split in SPLITS}
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]
    assert len(found["test"]) > 20
    everyone, everything = ({row[1] for row in rows} for rows in (PEOPLE, THINGS))
    assert {who for who, _ in found["train"]} == everyone, "a word of the test was never seen in its place"
    assert {what for _, what in found["train"]} == everything


def test_every_word_is_in_the_vocabulary_once() -> None:
    assert len(NOUNS) == 2 * len(PEOPLE + THINGS)
    assert not NOUNS.keys() & (ACTIONS.keys() | LIKES.keys() | ADJECTIVES.keys() | NAMES.keys())
    assert all(not re.search("[a-z]", symbol) for symbol in Translation().tokenizer.symbols)
    assert all(re.fullmatch("[a-z]+|[.?]", symbol) for symbol in Translation().source_tokenizer.symbols)


def aligned(english: str, chinese: str) -> list[str]:
    """The English words that each position of the decoder should read."""
    task = Translation()
    source, tokens = task.source_tokenizer.encode(english), task.tokenizer.encode(chinese)
    (pattern,) = task.expected(tokens, source)
    assert pattern.kind == "cross"
    assert pattern.reads.shape == (len(tokens), len(source))
    words = english.split()
    return [" ".join(words[key] for key in row.nonzero().flatten().tolist()) for row in pattern.reads]


def test_every_word_reads_what_it_comes_from() -> None:
    english = "is the teacher of the school selling two books that the boy likes in the park this morning ?"
    chinese = "学校 的 老师 今天早上 正在 公园 里 卖 男孩 喜欢 的 两 本 书 吗 ？"
    assert aligned(english, chinese) == [
        *("school", "of", "teacher", "this morning", "is in", "park", "in", "selling"),
        *("boy", "likes", "that", "two", "books", "books", "?", "?", ""),
    ]
    assert aligned("her busy cook looked for a dog .", "她 那 位 忙碌 的 厨师 找 过 一 条 狗 。") == [
        *("her", "her", "cook", "busy", "busy", "cook", "looked for", "looked", "a", "dog", "dog", ".", "")
    ]


def test_alignment_ends_where_the_text_leaves_the_translation() -> None:
    english = "my boy is looking for a coat ."
    assert aligned(english, "我 的 男孩 正在") == ["my", "my", "boy", "is", "looking for"]
    assert aligned(english, "我 的 女孩 正在") == ["my", "my", "boy", "", ""]
    assert aligned("coat coat the", "我 的") == ["", "", ""]


def test_what_is_no_sentence_has_no_translation() -> None:
    for text in (
        "",
        "the",
        "boy the bought book .",
        "the boy bought a book",
        "the boy bought a book ?",
        "the boy bought a book . .",
    ):
        assert translate(text.split()) == (), text


def test_word_by_word_is_not_enough() -> None:
    (baseline,) = Translation().baselines()
    assert baseline.name == "word by word"
    assert baseline.score < 0.05


def test_the_dictionary_of_the_baseline_is_right_for_most_content_words() -> None:
    task = Translation()
    pairs = [(english.split(), chinese.split()) for english, chinese in sentences(3000)]
    lexicon = task._lexicon(pairs)
    known = {**{row[0]: row[1] for row in THINGS}, **NAMES, **{word: ACTIONS[word] for word in PAST_FORMS}}
    right = sum(lexicon[word] in (chinese, MEASURES.get(word)) for word, chinese in known.items())
    assert right / len(known) > 0.8


def test_unknown_words_are_refused() -> None:
    with pytest.raises(UnknownSymbols, match="dragon"):
        Translation().source_tokenizer.encode("the dragon bought a book .")


def test_the_generator_decides_alone() -> None:
    state = torch.get_rng_state()
    assert sentences(40) == sentences(40)
    assert sentences(40) != sentences(40, seed=4)
    assert torch.equal(state, torch.get_rng_state())
