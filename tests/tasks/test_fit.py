"""Which texts fit a task, and what it suggests instead of others."""

from __future__ import annotations

import pytest
import torch

from attnviz import locale
from attnviz.tasks import Addition, Copy, Dates, Entities, Histogram, ModularAddition, OwnText, Sort, Stories, Task
from attnviz.tasks.own.labelled import OwnLabelled
from attnviz.training import RECIPES

TASKS = {
    **{name: recipe.task for name, recipe in RECIPES.items()},
    "sort with repeats": Sort(repeats=True),
    "three digits": Addition(digits=3, reverse=False),
    "few letters": Copy(n_symbols=5),
    "own text": OwnText("to be or not to be, that is the question", length=9),
}
"""Every family that has a recipe, and some variants."""

ODD = {
    "empty": "",
    "blank": " \n\t",
    "a word": "hello",
    "capitals": "HELLO",
    "a sentence": "The cat sat on the mat, and the dog didn’t.",
    "emoji": "👋🏽 hello 👩‍👩‍👧",
    "Chinese": "你好，世界",
    "right to left": "مرحبا بالعالم",
    "markup": "<script>alert('x')</script><b>hello</b>",
    "long": "abc " * 1250,
    "numbers": "0.5 1 2,3",
    "a sum": "12+34",
    "three digits": "123+456=",
    "a date": "24.12.1999",
    "an old date": "24.12.1066",
    "no such day": "30.2.2021",
    "a marker": ">",
    "an equals sign": "=",
    "a question": "a 3 f 7 ?",
    "brackets": "(()",
    "bits": "0101",
    "combining": "e\u0301" * 9,
    "invisible": "\u200b\u202e",
    "control": "\x00\x07",
}


@pytest.mark.parametrize("name", TASKS)
def test_what_a_task_makes_and_shows_fits_it(name: str) -> None:
    task = TASKS[name]
    batch = task.sample(24, torch.Generator().manual_seed(5), "test")
    made = [task.text_of(batch.rows(slice(row, row + 1)).trimmed())[0] for row in range(24)]
    shown = [example if isinstance(example, str) else example[0] for example in task.examples()]
    unknown = {text for text in (*made, *shown) if task.unread(text)}
    assert [text for text in (*made, *shown) if text not in unknown and not task.fits(text)] == []
    assert not any(task.refuses(text) for text in (*made, *shown))
    assert len(unknown) <= len(made) // 2


@pytest.mark.parametrize("name", TASKS)
def test_a_suggestion_always_fits(name: str) -> None:
    task = TASKS[name]
    examples = [example if isinstance(example, str) else example[0] for example in task.examples()]
    bent = [form for text in examples for form in (text.upper(), text.replace(" ", ""), text[:-2], f"{text} {text}")]
    for text in (*ODD.values(), *bent):
        suggestion = task.suggestion(text)
        assert not suggestion or task.fits(suggestion), text
        assert not task.fits(text) or suggestion in ("", text)


@pytest.mark.parametrize(
    ("name", "text", "suggestion"),
    [
        ("reverse", "hello", "h e l l o"),
        ("reverse", "  A, b; C ", "a b c"),
        ("reverse", "a b", ""),
        ("reverse", "a b c d e f g h i j k", ""),
        ("sort", "hello", "h e l o >"),
        ("sort", "d a c b", "d a c b >"),
        ("sort", "d a c b > b", "d a c b >"),
        ("sort with repeats", "hello", "h e l l o >"),
        ("copy", "hello", "h e l l o >"),
        ("few letters", "abz", ""),
        ("histogram", "abba", "a b b a a b b a a b"),
        ("induction", "hello", "h e l o h e l"),
        ("recall", "a3f7", "a 3 f 7 ? a"),
        ("recall", "a 3 f 7 ? b", "a 3 f 7 ? a"),
        ("needle", "haystack", "h a y s t a c k 7"),
        ("addition", "12+34", "12+34="),
        ("addition", "5 + 7 =", "05+07="),
        ("addition", "12+34=46", "12+34="),
        ("addition", "123+456=", ""),
        ("three digits", "12+456", "012+456="),
        ("modular", "40+20", "40 + 20 ="),
        ("modular", "40+99", ""),
        ("brackets", "()", "()" * 10),
        ("dates", "14 JULY  1989.", "14 July 1989"),
        ("dates", "Monday, 14 July 1989", "14 July 1989"),
        ("dates", "hello", ""),
        ("dates", "24.12.1066", ""),
        ("translation", "My teacher bought two red apples", "my teacher bought two red apples ."),
        ("sentiment-en", "The film was very good!", "the film was very good"),
        ("sentiment-en", "it was monday", ""),
        ("dialogue", "i need a table for 4", "user: i need a table for 4 system:"),
        ("english", "“Go”", '"Go"'),
        ("english", "hi 👋", "hi"),
        ("gridworld", "r100 red s64 up s44", ""),
    ],
)
def test_what_somebody_meant_is_suggested(name: str, text: str, suggestion: str) -> None:
    assert not TASKS[name].fits(text)
    assert TASKS[name].suggestion(text) == suggestion


def test_only_what_holds_no_date_at_all_is_refused() -> None:
    assert [Dates().refuses(text) for text in ("hello", "30.2.2021", "24.12.1066", "14 JULY  1989")] == [
        True,
        True,
        False,
        False,
    ]
    assert not any(Stories().refuses(text) for text in ODD.values())


def test_words_that_are_read_as_unknown_are_named() -> None:
    assert Entities().unread("Zaphod wrote to Zaphod in Berlin <unk>")[0] == "Zaphod"
    assert not Entities().fits("Zaphod wrote to Houston")
    table = "text,label\n" + "".join(f"word{i} is here,{'ab'[i % 2]}\n" for i in range(40))
    assert OwnLabelled(table).unread("nobody is here") == ("nobody",)
    assert Sort().unread("hello") == ()


def test_a_long_text_is_not_respelled() -> None:
    assert Stories().suggestion("“a” " * 2000) == ""
    assert Histogram().suggestion("ab" * 2000) == ""
    assert ModularAddition().suggestion("1+" * 2000) == ""


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_every_task_says_what_it_reads(lang: str) -> None:
    tasks = [*TASKS.values(), Stories("zh")]
    assert [task.reads for task in tasks if not locale.has(lang, f"fit.reads.{task.reads}")] == []
    own = ("own-labels", "own-entities", "own-series", "own-pairs")
    assert all(locale.has(lang, f"fit.reads.{name}") for name in own)
    assert {family.name for family in Task.families.values()} >= {name.replace("-", " ") for name in own}
