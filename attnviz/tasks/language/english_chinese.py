"""Simple English sentences and their Chinese translation, with the English words that each word comes from."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from attnviz.tasks.base import words

__all__ = ["PEOPLE", "THINGS", "Word", "translate", "vocabulary", "write"]


def _table(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(words(row, "/") for row in words(text))


# English / Chinese / measure word
PEOPLE = _table(
    "teacher/老师/位 doctor/医生/位 driver/司机/位 painter/画家/位 farmer/农民/位 singer/歌手/位 nurse/护士/位 "
    "engineer/工程师/位 writer/作家/位 cook/厨师/位 gardener/园丁/位 guide/导游/位 manager/经理/位 "
    "student/学生/个 boy/男孩/个 girl/女孩/个"
)
# English / Chinese / measure word / kind: a thing made by people, food, or alive
THINGS = _table(
    "book/书/本/made picture/图画/幅/made pen/钢笔/支/made cup/杯子/个/made lamp/灯/盏/made bicycle/自行车/辆/made "
    "car/汽车/辆/made umbrella/雨伞/把/made chair/椅子/把/made map/地图/张/made coat/外套/件/made scarf/围巾/条/made "
    "bag/包/个/made house/房子/座/made shirt/衬衫/件/made boat/船/条/made piano/钢琴/架/made kite/风筝/只/made "
    "apple/苹果/个/food cake/蛋糕/块/food horse/马/匹/alive cat/猫/只/alive dog/狗/条/alive bird/鸟/只/alive "
    "tree/树/棵/alive"
)
# base form / past / -ing form / Chinese / what follows it in the past; "look" and its forms take "for" with them
VERBS = _table(
    "buy/bought/buying/买/了 sell/sold/selling/卖/了 draw/drew/drawing/画/了 choose/chose/choosing/挑选/了 "
    "photograph/photographed/photographing/拍摄/了 praise/praised/praising/称赞/了 look/looked/looking/找/过"
)
STATES = _table("like/likes/喜欢 need/needs/需要 want/wants/想要")  # verbs of relative clauses: plural / singular
TRAITS = _table("young/年轻 happy/快乐 tall/高个子 famous/有名 friendly/友好 busy/忙碌 quiet/安静 brave/勇敢")
# English / Chinese / kinds of things it is said of
QUALITIES = _table(
    "red/红色/made/food green/绿色/made/food white/白色/made/food/alive old/旧/made/alive new/新/made "
    "big/大/made/food/alive small/小/made/food/alive cheap/便宜/made/food/alive expensive/昂贵/made/food/alive "
    "beautiful/漂亮/made/food/alive"
)
SERVING = words("teacher doctor driver manager student cook gardener guide")  # "my teacher", but not "my farmer"
NEAR = SERVING[:5]  # 我 老师 的 书 is said, 我 导游 的 书 hardly
OWNERS = _table("school/学校 village/村里 hospital/医院 city/城里 company/公司")
PLACES = _table(
    "in/park in/garden in/market in/library in/village in/school on/bridge on/beach on/street on/square "
    "at/station at/airport at/market at/school near/river near/park near/bridge near/station"
)
PLACE_NAMES = _table(
    "park/公园 garden/花园 market/市场 library/图书馆 bridge/桥 beach/海滩 street/街 square/广场 station/车站 "
    "airport/机场 river/河 village/村子 school/学校"
)
BEHIND_PLACES = {"in": "里", "on": "上", "near": "附近", "at": ""}
BESIDE = words("river bridge")  # near them is 边, not 附近
NUMBERS = {"two": "两", "three": "三", "five": "五"}
POINTING = {"a": "一", "an": "一", "this": "这", "that": "那", **NUMBERS}  # the noun's measure word comes after them
POSSESSIVES = {"my": "我", "her": "她", "our": "我们"}
PAST = {"yesterday": "昨天", "last week": "上周", "this morning": "今天早上"}
FUTURE = {"tomorrow": "明天", "next week": "下周", "tonight": "今晚"}
PRESENT = {"now": "现在", "today": "今天"}
TIMES = PAST | FUTURE | PRESENT
AUXILIARIES = words("did will is are")

NOUNS = {name: row[1] for row in PEOPLE + THINGS for name in (row[0], f"{row[0]}s")}
MEASURES = {name: row[2] for row in PEOPLE + THINGS for name in (row[0], f"{row[0]}s")}
ACTIONS = {form: row[3] for row in VERBS for form in row[:3]}
PAST_FORMS = {row[1] for row in VERBS}
ASPECTS = {form: row[4] for row in VERBS for form in row[:3]}
ADJECTIVES = {row[0]: row[1] for row in TRAITS + QUALITIES}
ALIVE = {name for row in THINGS if row[3] == "alive" for name in (row[0], f"{row[0]}s")}  # when old: 老, not 旧
LIKES = {form: row[2] for row in STATES for form in row[:2]}
NAMES = {row[0]: row[1] for row in PLACE_NAMES}
OWNER_NAMES = NAMES | {row[0]: row[1] for row in OWNERS}


class Word(NamedTuple):
    """A word of a translation.

    Attributes:
        text: text in Chinese.
        sources: positions of the English words it comes from.
    """

    text: str
    sources: tuple[int, ...]


class _NoSentenceError(Exception):
    """The words are no sentence of the grammar."""


def translate(english: Sequence[str]) -> tuple[Word, ...]:
    """Return the translation of a sentence, each word with where it comes from; () if it is no sentence of the grammar.

    Example:
        >>> chinese = translate("the teacher of the school bought two books in the park yesterday .".split())
        >>> " ".join(word.text for word in chinese)
        '学校 的 老师 昨天 在 公园 里 买 了 两 本 书 。'
        >>> [word.sources for word in chinese[:4]]
        [(4,), (2,), (1,), (11,)]
    """
    try:
        return tuple(_Translator(english).sentence())
    except _NoSentenceError:
        return ()


class _Translator:
    """Reads English from the left, phrase by phrase, and returns each phrase in Chinese order."""

    def __init__(self, english: Sequence[str]) -> None:
        self._english = english
        self._at = 0

    def _next(self) -> str:
        return self._english[self._at] if self._at < len(self._english) else ""

    def _take(self, *allowed: str) -> int | None:
        """Return the position of the next word if it is one of these, and on to the one after."""
        if self._next() not in allowed or not self._next():
            return None
        self._at += 1
        return self._at - 1

    def _need(self, *allowed: str) -> int:
        position = self._take(*allowed)
        if position is None:
            raise _NoSentenceError
        return position

    def sentence(self) -> list[Word]:
        """[time] subject [time] [will/is] [place] verb [past] object [question] end."""
        front = self._time()
        auxiliary = self._take(*AUXILIARIES)
        asks = auxiliary is not None
        subject = self._noun_phrase()
        if not asks:
            auxiliary = self._take(*AUXILIARIES)
        verb = self._need(*ACTIONS)
        action = [verb] if self._english[verb] not in VERBS[-1] else [verb, self._need("for")]
        thing = self._noun_phrase()
        place = self._place()
        time = [] if front else self._time()
        end = self._need("?" if asks else ".")
        if self._next():
            raise _NoSentenceError
        chinese = [*front, *subject, *time]
        chinese += self._auxiliary_and_place(auxiliary, place)
        chinese.append(Word(ACTIONS[self._english[verb]], tuple(action)))
        aspect = ASPECTS[self._english[verb]]
        if self._english[verb] in PAST_FORMS:
            chinese.append(Word(aspect, (verb,)))
        elif auxiliary is not None and self._english[auxiliary] == "did":
            chinese.append(Word(aspect, (auxiliary,)))
        chinese += thing
        return [*chinese, *([Word("吗", (end,)), Word("？", (end,))] if asks else [Word("。", (end,))])]

    def _auxiliary_and_place(self, auxiliary: int | None, place: list[Word]) -> list[Word]:
        """Join auxiliary and place; in 正在 公园 里 the 在 of the place is that of 正在."""
        name = "" if auxiliary is None else self._english[auxiliary]
        if auxiliary is None or name == "did":
            return place
        if name == "will":
            return [Word("会", (auxiliary,)), *place]
        if not place:
            return [Word("正在", (auxiliary,))]
        return [Word("正在", (auxiliary, *place[0].sources)), *place[1:]]

    def _time(self) -> list[Word]:
        for name, chinese in TIMES.items():
            parts = name.split()
            if list(self._english[self._at : self._at + len(parts)]) == parts:
                self._at += len(parts)
                return [Word(chinese, tuple(range(self._at - len(parts), self._at)))]
        return []

    def _place(self) -> list[Word]:
        preposition = self._take(*BEHIND_PLACES)
        if preposition is None:
            return []
        self._need("the")
        name = self._need(*NAMES)
        behind = BEHIND_PLACES[self._english[preposition]]
        if behind == "附近" and self._english[name] in BESIDE:
            behind = "边"
        chinese = [Word("在", (preposition,)), Word(NAMES[self._english[name]], (name,))]
        return chinese + [Word(behind, (preposition,))] * bool(behind)

    def _noun_phrase(self) -> list[Word]:
        """[whose 的] [determiner measure word] [relative clause 的] [adjective 的] noun.

        A clause with a subject of its own comes first: in 那 位 导游 喜欢 的 船, "that" would belong to the guide.
        """
        determiner = self._need("the", *POINTING, *POSSESSIVES)
        adjective = self._take(*ADJECTIVES)
        noun = self._need(*NOUNS)
        clause = self._relative_clause()
        owner = [] if clause else self._owner()
        first = clause if clause and self._english[clause[-1].sources[0]] == "that" else owner
        described = [] if first else clause
        if adjective is not None:
            described += self._adjective(adjective, noun)
        name = Word(NOUNS[self._english[noun]], (noun,))
        return [*first, *self._determiner(determiner, noun, described), *described, name]

    def _adjective(self, adjective: int, noun: int) -> list[Word]:
        """Adjective 的; one of a single character needs no 的."""
        text = ADJECTIVES[self._english[adjective]]
        if text == "旧" and self._english[noun] in ALIVE:
            text = "老"
        return [Word(text, (adjective,)), *([Word("的", (adjective,))] if len(text) > 1 else [])]

    def _determiner(self, determiner: int, noun: int, described: list[Word]) -> list[Word]:
        """Return what a determiner becomes; 她 那 位 忙碌 的 医生, as 她 的 忙碌 的 医生 would have one 的 too many."""
        name = self._english[determiner]
        measure = Word(MEASURES[self._english[noun]], (noun,))
        if name in POINTING:
            return [Word(POINTING[name], (determiner,)), measure]
        if name not in POSSESSIVES:
            return []
        whose = Word(POSSESSIVES[name], (determiner,))
        if any(word.text == "的" for word in described):
            return [whose, Word("那", (determiner,)), measure]
        return [whose, Word("的", (determiner,))]

    def _relative_clause(self) -> list[Word]:
        """`who likes cats` -> 喜欢 猫 的, `that the girl likes` -> 女孩 喜欢 的."""
        link = self._take("who", "that")
        if link is None:
            return []
        subject = self._noun_phrase() if self._english[link] == "that" else []
        verb = self._need(*LIKES)
        thing = self._take(*NOUNS) if self._english[link] == "who" else None
        chinese = [*subject, Word(LIKES[self._english[verb]], (verb,))]
        if thing is not None:
            chinese.append(Word(NOUNS[self._english[thing]], (thing,)))
        return [*chinese, Word("的", (link,))]

    def _owner(self) -> list[Word]:
        """`of my teacher` -> 我 老师 的."""
        of = self._take("of")
        if of is None:
            return []
        start = self._at
        self._need("the", *POSSESSIVES)
        name = self._take(*OWNER_NAMES)
        if name is not None:
            return [Word(OWNER_NAMES[self._english[name]], (name,)), Word("的", (of,))]
        self._at = start
        owner = self._noun_phrase()
        if [word.text for word in owner[1:2]] == ["的"]:
            del owner[1]  # 我 的 老师 的 书 would have one 的 too many
        return [*owner, Word("的", (of,))]


def _article(phrase: list[str]) -> list[str]:
    return ["an", *phrase[1:]] if phrase[0] == "a" and phrase[1][0] in "aeiou" else phrase


def _write_noun_phrase(noun: str, is_person: bool, random: Random) -> tuple[list[str], bool]:
    """Return a noun with what belongs to it, and whether there are several."""
    kind = random.choice(("plain", "plain", "adjective", "of", "relative"))
    if kind == "of":
        if is_person:
            return ["the", noun, "of", "the", random.choice(OWNERS)[0]], False
        whose = random.choice(("the", *POSSESSIVES))
        owner = random.choice(PEOPLE)[0] if whose == "the" else random.choice(NEAR)
        return ["the", noun, "of", whose, owner], False
    pointing = (*(("the",) if is_person else ("the", "a", "a")), "this", "that", *NUMBERS)
    owned = kind != "relative" and (not is_person or noun in SERVING)
    determiner = random.choice((*pointing, *POSSESSIVES) if owned else pointing)
    several = determiner in NUMBERS
    named = f"{noun}s" if several else noun
    if kind == "adjective":
        kinds = next(row[3:] for row in PEOPLE + THINGS if row[0] == noun)
        said = TRAITS if is_person else [row for row in QUALITIES if kinds[0] in row[2:]]
        return _article([determiner, random.choice(said)[0], named]), several
    if kind == "plain":
        return _article([determiner, named]), several
    state = random.choice(STATES)
    if is_person:
        return [determiner, named, "who", state[not several], f"{random.choice(THINGS)[0]}s"], several
    return [*_article([determiner, named]), "that", "the", random.choice(PEOPLE)[0], state[1]], several


def write(person: str, thing: str, random: Random) -> list[str]:
    """Return a random English sentence in which the person does something with the thing."""
    subject, several = _write_noun_phrase(person, True, random)
    objects, _ = _write_noun_phrase(thing, False, random)
    base, past, ing = random.choice(VERBS)[:3]
    particle = ["for"] if base == VERBS[-1][0] else []
    place = random.choice((None, *random.choices(PLACES, k=2)))
    tense = random.choice(("past", "future", "present"))
    time = random.choice(list({"past": PAST, "future": FUTURE, "present": PRESENT}[tense])).split()
    where = random.choice(("none", "front", "end", "end"))
    auxiliary, form = {"past": ("did", base), "future": ("will", base), "present": ("are" if several else "is", ing)}[
        tense
    ]
    rest = [*particle, *objects, *((place[0], "the", place[1]) if place else ()), *(time if where == "end" else ())]
    if where != "front" and random.random() < 0.3:
        return [auxiliary, *subject, form, *rest, "?"]
    verb = [past] if tense == "past" else [auxiliary, form]
    return [*(time if where == "front" else ()), *subject, *verb, *rest, "."]


def vocabulary() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return all English words and all Chinese ones, each once.

    Example:
        >>> english, chinese = vocabulary()
        >>> "teacher" in english, "老师" in chinese
        (True, True)
    """
    english = [*NOUNS, *ACTIONS, *LIKES, *ADJECTIVES, *OWNER_NAMES, *" ".join(TIMES).split(), *POINTING, *POSSESSIVES]
    english += [*BEHIND_PLACES, *AUXILIARIES, *words("the of who for . ?")]
    tables = (
        NOUNS,
        MEASURES,
        ACTIONS,
        ASPECTS,
        LIKES,
        ADJECTIVES,
        OWNER_NAMES,
        NAMES,
        TIMES,
        POINTING,
        POSSESSIVES,
        BEHIND_PLACES,
    )
    chinese = [word for table in tables for word in table.values() if word]
    return tuple(dict.fromkeys(english)), tuple(dict.fromkeys([*chinese, *words("的 老 边 在 正在 会 吗 。 ？")]))
