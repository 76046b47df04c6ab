"""The two corpora: seeded, split by story, and wide enough to be worth learning."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
from torch import Generator

from attnviz.tasks import Stories
from attnviz.tasks.base import SPLITS
from attnviz.tasks.language import stories_zh
from attnviz.tasks.language.stories import Language, corpus
from attnviz.tasks.language.stories_en import story, with_article

languages = pytest.mark.parametrize("language", ["en", "zh"])


@languages
def test_the_corpus_is_seeded_and_large(language: Language) -> None:
    stories = corpus(language)
    assert corpus.__wrapped__(language) == stories
    assert len(set(stories)) == len(stories)
    assert len("\n".join(stories).encode()) > 260_000


@languages
def test_stories_are_whole(language: Language) -> None:
    for text in corpus(language):
        assert not re.search(r"[{}\n]|  ", text)
        assert text.endswith((".", '"', "!") if language == "en" else ("。", "”", "！"))
        assert text.count('"') % 2 == 0
        assert text.count("“") == text.count("”")


@languages
def test_no_character_is_rare(language: Language) -> None:
    counts = Counter("\n".join(corpus(language)))
    rarest, times = counts.most_common()[-1]
    assert times >= 15, rarest
    assert set(Stories(language).tokenizer.symbols) == set(counts)


@languages
def test_no_story_is_in_two_splits(language: Language) -> None:
    task = Stories(language)
    train, validation, test = (task.stories(split) for split in SPLITS)
    assert len(train) + len(validation) + len(test) == len(corpus(language))
    assert not set(train) & set(validation)
    assert not set(train) & set(test)
    assert not set(validation) & set(test)
    assert len(train) > 6 * len(test) > 0


@languages
def test_pieces_begin_with_a_sentence_and_stay_in_their_split(language: Language) -> None:
    task = Stories(language, length=60)
    for split in SPLITS:
        whole = "".join(text + "\n" for text in task.stories(split))
        batch = task.sample(50, Generator().manual_seed(0), split)
        for row in batch.targets.tolist():
            piece = task.tokenizer.decode(row)
            assert len(piece) == 60
            before = whole[: whole.index(piece)][-2:]
            assert before == "" or before[-1] in "\n。！" or before in (". ", "! ")


def test_a_story_remembers_its_names_and_colours() -> None:
    """The name of the hero always comes back: that is what attention is for."""
    random = Random(1)
    returning = [max(Counter(re.findall(r"\b[A-Z][a-z]+\b", story(random))).values()) for _ in range(100)]
    assert sum(count >= 2 for count in returning) > 90


@pytest.mark.parametrize(("given", "expected"), [("owl", "an owl"), ("red kite", "a red kite"), ("Ada", "an Ada")])
def test_article(given: str, expected: str) -> None:
    assert with_article(given) == expected


COUNTED = """
只 兔子 狐狸 小猫 小狗 小熊 老虎 猴子 松鼠 刺猬 青蛙 乌龟 小鸟 鸭子 白鹅 山羊
只 老鼠 熊猫 企鹅 海豹 猫头鹰 蜗牛 浣熊 小鹿 孔雀 袋鼠 风筝 纸船
头 狮子 大象 小牛 小猪 骆驼
匹 小马
位 老师 水手 农民 渔夫 木匠 医生 画家
个 机器人 气球 皮球 书包 篮子 杯子 铃铛 盒子 枕头 陀螺 苹果 梨 桃子 橘子 包子 馒头 鸡蛋 土豆 西红柿
把 雨伞 钥匙 小提琴 扇子
顶 皇冠
条 小龙 围巾 毯子 丝带
件 大衣 毛衣
本 书 画册
盏 提灯
支 铅笔 笛子
面 小鼓 旗子
块 手表 饼干 蛋糕 月饼
张 地图
枚 戒指
颗 珠子 草莓 樱桃 核桃 糖
根 羽毛 胡萝卜 香蕉 玉米
串 葡萄
"""  # each measure word with the nouns that it counts


def test_each_chinese_noun_is_counted_with_its_measure_word() -> None:
    right = {noun: line[0] for line in COUNTED.strip().splitlines() for noun in line.split()[1:]}
    nouns = [each.partition(":")[0] for each in stories_zh.KINDS + stories_zh.THINGS + stories_zh.FOODS]
    assert {noun[1:]: noun[0] for noun in nouns} == right
    counted = re.compile(f"(?<!期)[一那](.)(?:[^，。]{{2,4}}的)?({'|'.join(sorted(right, key=len, reverse=True))})")
    found = [pair for text in corpus("zh")[:500] for pair in counted.findall(text)]
    assert len(found) > 1000
    assert [(measure, noun) for measure, noun in found if right[noun] != measure] == []


def test_no_chinese_name_is_a_word_of_the_stories() -> None:
    """Neither one of the lists nor one that is put together."""
    names = {*stories_zh.BOYS, *stories_zh.GIRLS}
    for known in (stories_zh.BOYS, stories_zh.GIRLS):
        names |= {a[0] + b[1] for a in known for b in known if a[0] != a[1] and b[0] != b[1]}
    others = ("BOYS", "GIRLS", "CHARACTERS")
    lists = (each for name, each in vars(stories_zh).items() if name.isupper() and name not in others)
    text = repr([*lists])
    assert [name for name in sorted(names) if name in text] == []
    assert not names & {"大树", "文明", "海洋", "天天", "美丽", "小雨", "小雪", "泽东"}


def test_chinese_things_do_what_they_can() -> None:
    """Only what the wind can carry is blown away, only what rolls rolls, and so on; nobody finds what was not lost."""
    can = {thing.partition(":")[0][1:]: thing.partition(":")[2] for thing in stories_zh.THINGS}
    signs = {
        "风": "一阵大风把(.+?)吹走",
        "滚": "拿稳，(.+?)滚下",
        "做": "动手做了一..色的(.+?)。",
        "抱": "说完，抱着(.+?)睡着",
    }
    signs |= {"挂": "那..色的(.+?)就挂在树上", "包": "原来([^。]+?)一直在.的包里"}
    random = Random(3)
    seen = set()
    for text in (stories_zh.story(random) for _ in range(1500)):
        for needed, sign in signs.items():
            for thing in re.findall(sign, text):
                assert needed in can[thing], text
                seen.add(needed)
        if "滚下了山坡" in text or "被冲走了" in text:
            assert "的包里！" not in text
            assert "挂在树上" not in text
        evening = "有一天晚上" in text
        assert not (evening and re.search("阳光|太阳|下午热", text)), text
        assert not re.search(r"找了.{1,4}[里上]|她们.*他，|\{|有一天.*可是有一天", text), text
    assert seen == set(signs)


def test_chinese_girls_are_not_called_as_boys_are() -> None:
    random = Random(4)
    for text in (stories_zh.story(random) for _ in range(500)):
        found = re.match("(..)和(..)是最好的朋友，(.)们", text)
        if found and {found[1], found[2]} <= set(stories_zh.GIRLS):
            assert found[3] == "她"
        elif found and {found[1], found[2]} & set(stories_zh.BOYS):
            assert found[3] == "他"
