"""The form for fine-tuning on the Training page: what it says before Play, what it refuses, and the run it makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from transformers.utils import logging

from attnviz import library, locale
from attnviz.errors import BaseUnfit
from attnviz.errors.base import Why
from attnviz.server import opening, workers
from attnviz.server.stores import UPLOADS
from attnviz.server.sweeps import Tuner
from attnviz.training import Run, all_runs
from attnviz.training.sweep.plan import Sweep, all_sweeps
from attnviz.ui.training import tuning_controls
from tests.finetuning.conftest import rows as texts
from tests.finetuning.conftest import table
from tests.huggingface.tokenizers import word_piece
from tests.training.test_sweep import AtOnce
from tests.ui.pages import Queue, address, click, messages, open_page, rows, run, turn_to
from tests.ui.real import BUILD, WORDS, stand_in_for_the_hub, zip_of


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small BERT, and one with two stacks."""
    root = tmp_path_factory.mktemp("bases")
    for name, kind in (("tiny-bert", "BERT"), ("two-stacks", "BART")):
        BUILD[kind]().save_pretrained(root / name)
        word_piece(WORDS).save_pretrained(root / name)
    return root


@pytest.fixture(autouse=True)
def server(bases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(library.MODELS_FOLDER, str(bases))
    monkeypatch.setattr(workers, "queue", Queue)
    opening.VERDICTS.clear()
    logging.set_verbosity_error()


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, key, **params)


def form(content: str, name: str = "mine.csv", **link: str) -> AppTest:
    page = open_page("training", recipe="fine-tune", base="tiny-bert", **link)
    return hand_in(page, content, name)


def hand_in(page: AppTest, content: str, name: str = "mine.csv", split: str = "train") -> AppTest:
    field = next(each for each in page.file_uploader if str(each.key).startswith(f"tune-{split}-"))
    field.set_value((name, content.encode(), "text/csv"))
    return run(page)


def test_it_begins_with_a_model_and_data() -> None:
    page = open_page("training")
    page.segmented_control(key="what").set_value("fine-tune")
    page = run(page)
    assert page.selectbox(key="tune-base").options == [
        "tiny-bert · BertForMaskedLM",
        "two-stacks · BartForConditionalGeneration",
    ]
    assert say("tuning.bring.data") in messages(page)
    assert page.button(key="play").disabled
    page = hand_in(page, table(texts()))
    assert not page.button(key="play").disabled, messages(page)
    assert page.slider(key="tune-validation").value == 10
    link = address(page)
    assert (link["recipe"], link["base"]) == ("fine-tune", "tiny-bert")
    again = open_page("training", **link)
    assert not again.button(key="play").disabled
    assert address(again) == link


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize(
    ("content", "error", "details"),
    [
        (table([(text, "one") for text, _ in texts()]), "data_labels", {"labels": "1", "least": "2", "most": "200"}),
        (table(texts(2)), "data_too_few", {"texts": "2", "needed": "20"}),
        (
            table([(f"day {n}", f"label {n}") for n in range(10_000)]),
            "data_labels",
            {"labels": "10,000", "least": "2", "most": "200"},
        ),
        ("text,label\n" + "good day,\n" * 20, "data_blank", {"line": "2", "column": "label"}),
    ],
    ids=["one class", "two texts", "10,000 labels", "a blank label"],
)
def test_data_that_cannot_be_learned_are_refused(content: str, error: str, details: dict[str, str], lang: str) -> None:
    page = form(content, lang=lang)
    assert page.button(key="play").disabled
    assert locale.told(lang, error, details) in messages(page).replace("`", "")


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_what_may_be_wrong_is_said_before(lang: str) -> None:
    given, long = texts(), " ".join(["cat"] * 80)
    page = form(table([*given, given[0], (given[1][0], "p\u043esitive"), (long, "positive")]), lang=lang)
    tsv = "\n".join(f"{label}\t{text}" for text, label in (("text", "label"), *given[:3], ("the cat", "neutral")))
    page = hand_in(page, tsv, "test.tsv", split="test")
    said = messages(page).replace("`", "")
    assert not page.button(key="play").disabled, said
    for key, params in (
        ("repeated", {"n": 2}),
        ("shared", {"n": 3}),
        ("contradictory", {"n": 1}),
        ("unlearned", {"labels": "neutral"}),
        ("alike", {"labels": locale.listed(lang, ["positive", "p\u043esitive U+043E"])}),
    ):
        assert say(f"tuning.found.{key}", lang, **params) in said
    places = [say(f"tuning.cut.{split}", lang, n=1) for split in ("train", "validation")]
    assert any(say("tuning.found.cut", lang, tokens=64, where=where, lost=18) in said for where in places)
    assert say("training.not_in_link", lang) in said
    link = address(page)
    page.query_params.clear()
    page = turn_to(page, "runs")
    for name, value in link.items():
        page.query_params[name] = value
    page = turn_to(page, "training")
    assert address(page) == link
    assert say("tuning.found.shared", lang, n=3) in messages(page).replace("`", ""), "coming back loses no file"


def test_a_share_of_which_nothing_is_left_is_refused() -> None:
    page = form(table(texts()), tune="test:1")
    assert page.button(key="play").disabled
    assert say("error.data_too_few", texts=60, needed=100) in messages(page)


def test_labels_that_are_numbers_are_names() -> None:
    page = form(table([(text, {"positive": "5", "negative": "1"}[label]) for text, label in texts()]))
    assert say("tuning.found.numbers") in messages(page)
    assert say("tuning.found.numbers") not in messages(form(table(texts())))


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_bases_and_batches_that_cannot_be_are_refused(
    lang: str, bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = form(table(texts()), lang=lang)
    page.selectbox(key="tune-base").set_value("two-stacks")
    page = run(page)
    assert page.button(key="play").disabled
    refusal = BaseUnfit("two-stacks", Why("two-stacks"))
    assert locale.told(lang, refusal.code, refusal.details) in messages(page).replace("`", "")

    bare = tmp_path / "models" / "bare"
    bare.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (bare / name).write_bytes((bases / "tiny-bert" / name).read_bytes())
    monkeypatch.setenv(library.MODELS_FOLDER, str(bare.parent))
    page = hand_in(open_page("training", recipe="fine-tune", base="bare", lang=lang), table(texts()))
    assert page.button(key="play").disabled
    assert locale.told(lang, "no_tokenizer", {"name": "bare"}) in messages(page).replace("`", "")

    monkeypatch.setenv(library.MODELS_FOLDER, str(bases))
    page = form(table(texts()), lang=lang, tune="batch:60000")
    assert page.button(key="play").disabled
    assert "60,000" in messages(page)


def test_columns_are_chosen_where_they_are_not_told() -> None:
    rows = "".join(f'{{"id": {n}, "said": "{text}", "how": "{label}"}}\n' for n, (text, label) in enumerate(texts()))
    page = form(rows, "mine.jsonl")
    assert page.button(key="play").disabled
    assert list(page.dataframe[0].value.columns) == ["1 · id", "2 · said", "3 · how"]
    for name, column in (("text", 2), ("label", 3)):
        page.selectbox(key=f"task-fine-tune-own-labels-{name}_column").set_value(column)
    page = run(page)
    assert not page.button(key="play").disabled, messages(page)
    assert "`positive`" in messages(page)
    page = hand_in(page, table(texts()))
    assert not page.button(key="play").disabled, "what was said of another file is forgotten"


def test_tags_of_words() -> None:
    page = form("\n\n".join(f"cat{n} B-PER\nsat O" for n in range(33)), "mine.conll")
    assert page.segmented_control(key="tune-tags").value is True
    assert not page.button(key="play").disabled, messages(page)
    assert say("tuning.sizes", train=27, validation=3, test=3, labels="`B-PER` 33, `O` 33") in messages(page)


def test_the_head_alone_moves_no_attention() -> None:
    page = form(table(texts()))
    assert say("tuning.head_only") not in messages(page)
    page.selectbox(key="tune-method").set_value("head")
    page = run(page)
    assert say("tuning.head_only") in messages(page)
    page.selectbox(key="tune-method").set_value("last")
    page = run(page)
    page.number_input(key="tune-layers").set_value(1)
    assert say("tuning.keeps", n=1) in messages(run(page))
    assert address(page)["tune"] == "method:last,layers:1"


def test_play_makes_a_run_that_comes_back_as_a_form() -> None:
    page = form(
        table(texts()), tune="method:last,layers:1,steps:4,batch:4,weighted:1,stop:1,validation:20", probe="the cat"
    )
    assert say("tuning.sizes", train=42, validation=12, test=6, labels="")[:60] in messages(page)
    page = click(page, "play")
    (made,) = all_runs()
    assert isinstance(made, Run)
    assert made.state().state == "queued"
    model, task, training = (made.config.to_dict()[part] for part in ("model", "task", "training"))
    assert (model["base"], model["method"], training["steps"], training["patience"]) == ("tiny-bert", "last:1", 4, 3)
    assert (task["parameters"]["watched"], task["parameters"]["weighted"]) == ("the cat", True)
    page = click(page, "play")
    assert len(all_runs()) == 1, "the same is not trained twice"
    again = open_page("training", run=made.name)
    assert not again.exception
    assert again.text_area(key="tune-probe").value == "the cat"
    assert again.selectbox(key="tune-method").value == "last"
    page = click(again, "play")
    assert len(all_runs()) == 1, "the form of a run is the run"
    page = click(page, "again")
    assert sorted(each.config.training.seed for each in all_runs() if isinstance(each, Run)) == [0, 1]


def pick(page: AppTest, values: dict[str, list[object]], seeds: int = 1) -> AppTest:
    """Choose settings to vary, and their values."""
    page.number_input(key="sweep-seeds").set_value(seeds)
    for place, (name, chosen) in enumerate(values.items()):
        page.selectbox(key=f"sweep-setting-{place}").set_value(name)
        page = run(page)
        page.multiselect(key=f"sweep-values-{name}").set_value(chosen)
    return run(page)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_several_settings_that_cannot_be_are_refused(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = pick(form(table(texts()), tune="batch:4", lang=lang), {"lr": [1e-4, 3e-4, 1e-3], "batch": [4, 8, 128]}, 10)
    assert locale.told(lang, "too_many_planned", {"n": 90, "most": 64}) in plain(page)
    assert page.button(key="sweep-play").disabled
    page.number_input(key="sweep-seeds").set_value(1)
    monkeypatch.setenv("ATTNVIZ_TRAIN_MEMORY_MB", "4")
    page = run(page)
    assert "learning_rate=0.0001, batch_size=128" in plain(page)
    assert page.button(key="sweep-play").disabled
    assert not page.button(key="play").disabled, "the form itself fits"
    page.multiselect(key="sweep-values-batch").set_value([4, 8])
    page = run(page)
    assert say("training.sweep.play.grid", lang, n=6) in [button.label for button in page.button]
    assert not page.button(key="sweep-play").disabled


def test_several_settings_are_said_and_trained_as_a_group() -> None:
    page = pick(form(table(texts()), tune="steps:2,batch:4,weighted:1"), {"method": ["head", "last:1"], "decay": [0.0]})
    said = messages(page)
    assert "2 runs, at most 4 steps in all" in said
    assert "Each run takes at most about 1 MiB of memory" in said
    assert say("training.sweep.one_rate", rate=0.0003) in said
    page = click(page, "sweep-play")
    (sweep,) = all_sweeps()
    assert isinstance(sweep, Sweep)
    assert sweep.combinations == [("head", 0.0), ("last:1", 0.0)]
    assert Tuner(AtOnce()).look() == [sweep.name]
    assert Tuner(AtOnce()).look() == []
    made = [each for each in all_runs() if isinstance(each, Run)]
    assert [(each.state().state, vars(each.config.task)["weighted"]) for each in made] == [("done", True)] * 2
    group = open_page("runs", sweep=sweep.name, lang="zh")
    kind = say("runs.task.fine-tuned-labels", "zh")
    assert say("runs.sweep.header", "zh", task=kind) in [header.value for header in group.header]
    methods = [say(f"tuning.short.{name}", "zh", n=1) for name in ("head", "last")]
    assert {row["settings"] for row in rows(group).values()} == {locale.listed("zh", [name, "0"]) for name in methods}


def plain(page: AppTest) -> str:
    return messages(page).replace("`", "")


def test_a_run_keeps_an_uploaded_base(bases: Path, tmp_path: Path) -> None:
    page = open_page("models")
    archive = zip_of(bases / "tiny-bert", tmp_path / "handed-in.zip")
    page.file_uploader[0].set_value((archive.name, archive.read_bytes(), "application/zip"))
    page = run(page)
    page = hand_in(turn_to_tuning(page), table(texts()))
    assert page.selectbox(key="tune-base").options[0] == "handed-in · BertForMaskedLM"
    assert str(page.selectbox(key="tune-base").value).startswith("upload/")
    page = click(page, "play")
    (made,) = all_runs()
    assert isinstance(made, Run)
    UPLOADS.drop(str(made.config.to_dict()["model"]["base"]))
    assert made.config.task.build(made.config.model, 0) is not None


def turn_to_tuning(page: AppTest) -> AppTest:
    page = turn_to(page, "training")
    page.segmented_control(key="what").set_value("fine-tune")
    return run(page)


def test_a_link_that_names_no_base_or_setting_is_said() -> None:
    page = open_page("training", recipe="fine-tune", base="none", tune="method:some,steps:5")
    assert say("tuning.unknown_base", name="`none`") in messages(page)
    assert "`method`" in messages(page)
    assert address(page)["tune"] == "steps:5"


def test_from_a_link_to_a_task_and_back() -> None:
    page = form(table(texts()))
    page.segmented_control(key="what").set_value("task")
    page = run(page)
    assert not page.button(key="play").disabled
    page.segmented_control(key="what").set_value("fine-tune")
    assert say("tuning.sizes", train=48, validation=6, test=6, labels="")[:50] in messages(run(page))


def test_a_model_of_the_hub_where_downloads_are_on(bases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = stand_in_for_the_hub(monkeypatch, bases / "tiny-bert")
    page = form(table(texts()))
    page.text_input(key="tune-hub").set_value("org/small")
    page = run(page)
    assert page.selectbox(key="tune-base").value == "hf:org/small"
    assert asked == ["hf:org/small"]
    assert not page.button(key="play").disabled, messages(page)


def test_lora_is_offered_where_peft_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    lora = say("tuning.method.lora")
    assert lora in open_page("training", recipe="fine-tune").selectbox(key="tune-method").options
    monkeypatch.setattr(tuning_controls, "find_spec", lambda _: None)
    assert lora not in open_page("training", recipe="fine-tune").selectbox(key="tune-method").options
