"""The Models page as the server builds it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import attnviz
from attnviz import locale
from attnviz.downloads import DOWNLOADS
from attnviz.server import listing, opening, stores
from attnviz.server.listing import listed
from attnviz.server.open_models import ModelKey
from attnviz.server.uploads import is_upload
from attnviz.training import record
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.state import Session
from attnviz.ui.models.outline import architecture_of
from attnviz.ui.models.state import ModelsState
from attnviz.ui.runs.state import RunsState
from attnviz.zoo import ORDER
from tests.training.runs import small_run
from tests.ui.pages import address, choose, click, messages, open_page, rows, run, state_of
from tests.ui.real import stand_in_for_the_hub, zip_of

pytestmark = pytest.mark.usefixtures("operator_real_models")


def say(key: str, **params: Any) -> str:
    return locale.t("en", key, **params)


def press(page: AppTest, what: str, name: str) -> AppTest:
    """What the table tells, and the run that follows."""
    state_of(page, ModelsState).asked = (what, name)
    return run(page)


def hand_in(page: AppTest, path: Path) -> AppTest:
    page.file_uploader[0].set_value((path.name, path.read_bytes(), "application/zip"))
    return run(page)


def test_everything_is_listed_and_nothing_is_opened(monkeypatch: pytest.MonkeyPatch, runs_folder: Path) -> None:
    record(small_run(runs_folder / "mine"))
    page = open_page("models")
    monkeypatch.setattr("attnviz.ui.models.page.open_model", lambda *_: pytest.fail("a model was opened"))
    run(page)
    found = rows(page)
    assert set(found) >= {"reverse", "run/mine@12", "tiny-bert", "tiny-long", "pickled"}
    for name, source in (("reverse", "zoo"), ("run/mine@12", "runs"), ("tiny-bert", "folders")):
        assert found[name]["source"] == say(f"models.table.source.{source}")
    assert found["run/mine@12"]["actions"] == ["open", "run"]
    cells = found["tiny-long"]
    assert cells["kind"] == "LlamaForCausalLM · decoder"
    assert [cells[key] for key in ("layers", "heads", "kv_heads", "d_model", "context")] == [2, 4, 2, 48, 4096]
    assert cells["shown"] == say("models.table.unknown")
    assert (found["tiny-bart"]["layers"], found["tiny-bart"]["kind"].split(" · ")[-1]) == (4, "2 + 2")
    assert (found["reverse"]["parameters"], found["reverse"]["kv_heads"]) == (59_981, None)
    for name, heads, part in (("sentiment-en", 1, "all"), ("english-lstm", 0, "states")):
        assert (found[name]["heads"], found[name]["shown"]) == (heads, f"✓ {say(f'models.table.{part}')}")
    assert (found["reverse"]["actions"], found["tiny-bert"]["actions"]) == (["open"], ["open", "check"])
    assert found["own-truncated"]["actions"] == ["open", "check"]  # its weights cannot be read
    assert found["pickled"]["kind"] == ""
    assert address(page) == {"lang": "en"}


def test_numbers_of_the_list_are_those_of_the_open_model() -> None:
    listed = rows(open_page("models"))
    for name in ("tiny-bert", "tiny-gpt2", "tiny-bart", "tiny-vit", "reverse", "dates"):
        model = opening.open_model(name)
        cells, trace_of = listed[name], model.facts
        assert trace_of.architecture in cells["kind"]
        assert cells["context"] == trace_of.max_len


def test_a_model_is_checked_and_what_was_found_stays() -> None:
    stores.MODELS.drop(ModelKey("tiny-bert"))
    page = press(open_page("models"), "check", "tiny-bert")
    assert [box.value for box in page.success] == [say("models.can_be_shown", name="`tiny-bert`")]
    assert rows(page)["tiny-bert"]["shown"].startswith("✓")
    assert rows(open_page("models"))["tiny-bert"]["shown"].startswith("✓")


def test_who_reads_chinese_is_offered_chinese_models_first() -> None:
    assert [*listed("zh")][:4] == ["chinese", "sentiment-zh", "translation", "translation-lstm"]
    assert {*listed("zh")} == {*listed()}
    assert [*listed("en")] == [*listed()]
    assert next(iter(listed())) == ORDER[0]


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("name", ["no-config", "no-tokenizer", "pickled", "unknown", "remote", "truncated", "deberta"])
def test_what_cannot_be_shown_says_why_in_every_language(name: str, lang: str) -> None:
    page = press(open_page("models", lang=lang), "check", name)
    shown = rows(page)[name]["shown"]
    assert shown.startswith("✕")
    assert name in shown
    assert "\n" not in shown
    assert f"`{name}`" in page.error[0].value
    assert (lang == "zh") == any("\u4e00" <= sign <= "\u9fff" for sign in shown)


def test_the_table_leads_to_the_explorer_and_to_the_run(runs_folder: Path) -> None:
    record(small_run(runs_folder / "mine"))
    page = open_page("models")
    state_of(page, ModelsState).asked = ("open", "tiny-bert")
    page = run(page)
    assert page.session_state[ExplorerState.model.key] == "tiny-bert"
    assert address(page)["model"] == "tiny-bert"
    page = open_page("models")
    state_of(page, ModelsState).asked = ("run", "run/mine@12")
    page = run(page)
    assert state_of(page, RunsState).chosen == ["mine"]


def test_what_can_be_done_with_the_chosen_model_stands_above_the_table(runs_folder: Path) -> None:
    record(small_run(runs_folder / "mine"))
    page = open_page("models")
    stores.MODELS.drop(ModelKey("tiny-gpt2"))
    assert "check" not in [button.key for button in page.button]
    page = click(choose(page, "tiny-gpt2"), "check")
    assert [box.value for box in page.success] == [say("models.can_be_shown", name="`tiny-gpt2`")]
    assert "check" not in [button.key for button in page.button]
    links = [each.proto.label for each in choose(page, "run/mine@12").get("page_link")]
    assert links[-2:] == [say("models.table.open"), say("models.table.run")]


def test_the_search_wants_all_words_and_keeps_what_is_chosen() -> None:
    page = choose(open_page("models"), "dates")
    page.text_input(key=ModelsState.search.key).set_value("ENCODER-decoder dates")
    assert list(rows(run(page))) == ["dates", "dates-lstm"]
    assert page.session_state["models-table"]["selection"]["rows"] == [0]
    page.text_input(key=ModelsState.search.key).set_value("no such model")
    assert say("models.table.none") in messages(run(page))
    page.text_input(key=ModelsState.search.key).set_value("")
    listed = list(rows(run(page)))
    assert page.session_state["models-table"]["selection"]["rows"] == [listed.index("dates")]


def test_a_zip_file_becomes_a_model_of_this_session_alone(real_folder: Path, tmp_path: Path) -> None:
    page = hand_in(open_page("models"), zip_of(real_folder / "tiny-bert", tmp_path / "mine.zip", inside="mine/"))
    assert say("models.can_be_shown", name="`mine`") in [box.value for box in page.success]
    name = state_of(page, Session).upload
    assert is_upload(name)
    row = rows(page)[name]
    assert (row["source"], row["model"]) == (say("models.table.source.uploaded"), "mine")
    assert row["shown"].startswith("✓")
    assert name not in rows(open_page("models"))
    assert not any(is_upload(each) for each in listing.listed())
    state_of(page, ModelsState).asked = ("open", name)
    page = run(page)
    assert address(page)["model"] == name
    again = hand_in(open_page("models"), zip_of(real_folder / "tiny-vit", tmp_path / "other.zip"))
    assert state_of(again, Session).upload != name
    assert listing.find(name) is not None


def test_the_next_upload_replaces_the_first(real_folder: Path, tmp_path: Path) -> None:
    file = zip_of(real_folder / "tiny-bert", tmp_path / "mine.zip")
    page = hand_in(open_page("models"), file)
    first = state_of(page, Session).upload
    folder = listing.find(first).folder  # type: ignore[union-attr]
    page = hand_in(page, file)
    assert state_of(page, Session).upload != first
    assert listing.find(first) is None
    assert folder is not None
    assert not folder.exists()
    assert ModelKey(first) not in stores.MODELS


def test_one_of_our_own_can_be_handed_in(tmp_path: Path) -> None:
    folder = Path(attnviz.__file__).parent / "zoo" / "sort"
    page = hand_in(open_page("models"), zip_of(folder, tmp_path / "sort.zip"))
    assert not page.error
    assert rows(page)[state_of(page, Session).upload]["kind"] == "decoder"


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_wrong_zip_file_is_refused_in_one_line(lang: str, real_folder: Path, tmp_path: Path) -> None:
    page = open_page("models", lang=lang)
    kept = len(stores.UPLOADS)
    cases = {
        "upload_file_kind": zip_of(real_folder / "pickled", tmp_path / "pickled.zip"),
        "upload_no_model": zip_of(real_folder / "no-config", tmp_path / "none.zip"),
        "upload_path": zip_of(real_folder / "tiny-bert", tmp_path / "deep.zip", inside="a/b/"),
        "upload_not_zip": Path(shutil.copy(real_folder / "tiny-bert" / "config.json", tmp_path / "text.zip")),
    }
    for error, path in cases.items():
        page = hand_in(page, path)
        assert len(page.warning) == 1
        assert "\n" not in page.warning[0].value
        assert page.warning[0].value.startswith(
            locale.t(
                lang, f"error.{error}", name=f"`{path.name}`", reason="\0", files="\0", file="\0", allowed="\0"
            ).split("\0")[0]
        )
    assert len(stores.UPLOADS) == kept


def test_a_zip_file_of_a_broken_model_is_kept_and_says_why(real_folder: Path, tmp_path: Path) -> None:
    page = hand_in(open_page("models"), zip_of(real_folder / "no-tokenizer", tmp_path / "mute.zip"))
    assert "`mute`" in page.error[0].value
    assert rows(page)[state_of(page, Session).upload]["shown"].startswith("✕")


def test_downloads_are_off_unless_the_operator_says() -> None:
    page = open_page("models")
    assert say("models.hub_off", variable="`ATTNVIZ_DOWNLOADS=1`") in messages(page)
    assert "download" not in [button.key for button in page.button]


@pytest.mark.parametrize("text", ["someone/tiny", "https://huggingface.co/someone/tiny", " someone/tiny/ "])
def test_a_model_of_the_hub_is_downloaded_by_its_id(
    text: str, monkeypatch: pytest.MonkeyPatch, real_folder: Path
) -> None:
    asked = stand_in_for_the_hub(monkeypatch, real_folder / "tiny-gpt2")
    page = open_page("models")
    page.text_input(key=ModelsState.hub.key).set_value(text)
    page = click(page, "download")
    assert asked == ["hf:someone/tiny"]
    row = rows(page)["hf:someone/tiny"]
    assert (row["source"], row["layers"]) == (say("models.table.source.hub"), 2)
    assert row["shown"].startswith("✓")
    stores.MODELS.drop(ModelKey("hf:someone/tiny"))


@pytest.mark.parametrize("text", ["", "a b", "../x", "https://elsewhere.org/a/b", "<b>/c"])
def test_what_is_no_id_is_said(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DOWNLOADS, "1")
    monkeypatch.setattr(opening, "load_model", lambda name: pytest.fail(name))
    page = open_page("models")
    page.text_input(key=ModelsState.hub.key).set_value(text)
    assert say("models.no_id", name="").strip() in click(page, "download").warning[0].value


def test_a_name_that_the_browser_made_up_is_ignored(real_folder: Path) -> None:
    page = open_page("models")
    shutil.copytree(real_folder / "tiny-bert", real_folder / ".." / "outside", dirs_exist_ok=True)
    page = press(page, "check", "../outside")
    assert page.warning
    assert not page.success
    assert listing.find("../outside") is None


@pytest.mark.parametrize(
    ("config", "kind", "architecture"),
    [
        ({"is_encoder_decoder": True}, "T5ForConditionalGeneration", "encoder-decoder"),
        ({}, "GPT2LMHeadModel", "decoder"),
        ({}, "LlamaForCausalLM", "decoder"),
        ({}, "RobertaForMaskedLM", "encoder"),
        ({"text_config": {}, "vision_config": {}}, "CLIPModel", "two encoders"),
        ({}, "BertModel", ""),
    ],
)
def test_the_architecture_is_told_by_the_configuration(config: dict[str, Any], kind: str, architecture: str) -> None:
    assert architecture_of(config, kind) == architecture
