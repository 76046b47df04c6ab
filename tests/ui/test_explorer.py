"""The Explorer page as the server builds it, without a browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from attnviz import library, locale
from attnviz.analysis.reading import entropy
from attnviz.models.bundle import read_config
from attnviz.models.recurrent_config import config_from_dict
from attnviz.server import forward, listing, opening
from attnviz.server.traces import TraceKey
from attnviz.training import Run, record
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.state import Session
from attnviz.view.page import described
from attnviz.view.run_header import run_header
from attnviz.view.texts import address
from attnviz.zoo import ORDER, zoo_path
from tests.tiny import MARKUP
from tests.training.runs import small_run
from tests.ui.pages import ENTRY, PATIENCE, state_of
from tests.ui.pages import address as address_of

pytestmark = pytest.mark.usefixtures("operator_models")


def open_page(**params: str) -> AppTest:
    page = AppTest.from_file(ENTRY, default_timeout=PATIENCE)
    for name, value in params.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def finished(folder: Path, **training: Any) -> Run:
    run = small_run(folder, **training)
    record(run)
    return run


def type_text(page: AppTest, text: str) -> AppTest:
    page.text_area(key="text").set_value(text).run()
    assert not page.exception
    return page


def header(page: AppTest) -> dict[str, Any] | None:
    """What the view was given to show; None when there is no picture."""
    for element in page.main:
        payload = getattr(getattr(element, "proto", None), "bytes", b"")
        if payload[:4] == b"AVZ1":
            return dict(json.loads(payload[8 : 8 + int.from_bytes(payload[4:8], "little")]))
    return None


def shown(page: AppTest) -> dict[str, Any]:
    found = header(page)
    assert found is not None
    return found


def place(page: AppTest) -> dict[str, Any]:
    """Which part of the picture comes first."""
    return {name: value for name, value in shown(page)["choice"].items() if name not in ("link", "frozen")}


def messages(page: AppTest) -> str:
    return "\n".join(m.value for kind in (page.error, page.warning, page.info, page.caption) for m in kind)


WITHOUT_ATTENTION = {name for name in ORDER if config_from_dict(read_config(zoo_path(name))["model"]).n_heads == 0}


def test_every_model_opens_on_its_first_example() -> None:
    for name, model in listing.listed().items():
        page = open_page(model=name)
        if name == "tiny-damaged":
            assert header(page) is None
            assert "model.safetensors" in page.error[0].value
        else:
            assert not page.error
            assert not page.warning
            assert page.text_area(key="text").value == model.examples[0][0]
            if name in WITHOUT_ATTENTION:
                assert shown(page)["sites"] == []
                assert locale.t("en", "states.no_attention") in messages(page)
            else:
                assert shown(page)["sites"]


def test_the_first_page_is_the_first_model() -> None:
    page = open_page()
    assert page.session_state[ExplorerState.model.key] == next(iter(listing.listed()))
    assert place(page)["site"] == 1  # the layer in which every letter reads its mirror
    assert place(open_page(lock="all"))["site"] == 1  # frozen, and no head is named
    assert place(open_page(layer="0", head="1")) == {"site": 0, "head": 1, "query": None, "key": None, "locked": False}


def test_a_link_handed_to_students_freezes_model_text_and_head() -> None:
    page = open_page(model="tiny-encoder", text="a b", lock="all", layer="0", head="1")
    assert shown(page)["choice"]["frozen"]
    assert page.text_area(key="text").disabled
    assert page.selectbox(key="model").disabled
    assert not [button.key for button in page.button if button.key != "lang"]
    assert not open_page(model="tiny-encoder").text_area(key="text").disabled


def test_an_example_is_one_click_away() -> None:
    page = open_page(model="tiny-encoder")
    page.button(key="example-tiny-encoder-1").click().run()
    assert shown(page)["tokens"]["encoder"] == ["a", "b", "a", "b"]


def test_a_decoder_continues_its_text() -> None:
    page = open_page(model="tiny-decoder", text="The fox")
    page.button(key="continue").click().run()
    assert page.text_area(key="text").value.startswith("The fox")
    assert len(shown(page)["tokens"]["decoder"]) == len(page.text_area(key="text").value) + 1
    assert "continue" not in [button.key for button in open_page(model="tiny-encoder").button]


def test_an_encoder_decoder_writes_a_missing_target_and_says_so() -> None:
    page = open_page(model="tiny-both", text="3rd of March 2021")
    assert locale.t("en", "page.target_written", target="")[:20] in page.caption[-1].value
    page.text_area(key="target").set_value("2021").run()
    assert shown(page)["tokens"]["decoder"] == ["<bos>", "2", "0", "2", "1"]
    assert not any("wrote" in caption.value for caption in page.caption)


def test_the_link_chooses_head_and_lock() -> None:
    page = open_page(model="tiny-decoder", text="The", layer="2", head="3", q="2", k="1", lock="1", lang="zh")
    assert place(page) == {"site": 2, "head": 3, "query": 2, "key": 1, "locked": True}
    assert shown(page)["lang"] == "zh"
    assert not page.warning


def test_stack_and_kind_of_the_link_choose_among_a_layers_sites() -> None:
    page = open_page(model="tiny-both", layer="1", stack="decoder", kind="cross", head="1")
    site = shown(page)["sites"][shown(page)["choice"]["site"]]
    assert (site["layer"], site["stack"], site["kind"]) == (1, "decoder", "cross")


@pytest.mark.parametrize(
    "params", [{"layer": "99"}, {"head": "-1"}, {"head": "x"}, {"q": "1e3"}, {"k": "٣"}, {"q": "9" * 5000, "lock": "1"}]
)
def test_a_link_that_points_outside_falls_back_and_says_so(params: dict[str, str]) -> None:
    page = open_page(model="tiny-encoder", **params)
    choice = place(page)
    assert choice == {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    assert f"`{next(iter(params))}`" in page.warning[0].value


def test_an_unknown_model_falls_back_and_says_so() -> None:
    page = open_page(model="../../etc/passwd", text="x", layer="99")
    assert page.session_state[ExplorerState.model.key] == next(iter(listing.listed()))
    assert "`../../etc/passwd`" in page.warning[0].value
    assert shown(page)["model"]
    page.run()
    assert not page.warning


def test_unknown_languages_and_unrelated_parameters_are_left_alone() -> None:
    page = open_page(model="tiny-encoder", lang="xx", utm="1")
    assert shown(page)["lang"] == "en"


def test_empty_text_teaches() -> None:
    page = type_text(open_page(model="tiny-damaged"), "")
    assert header(page) is None
    page = type_text(open_page(model="tiny-encoder", text=""), "  ")
    assert locale.t("en", "error.empty_text") in messages(page)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a 😀", "`😀`"),
        ("a e\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("a \u05d0", "`\u05d0`"),
        ("a \u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("a \x07", "U+0007"),
        ("a \u200b", "U+200B ZERO WIDTH SPACE"),
        ("a <script>alert(1)</script>", "`<script>alert(1)</script>`"[:20]),
        ("a `**$x$", "`` `**$x$ ``"),
    ],
)
def test_unknown_symbols_are_named_and_the_picture_stays(text: str, named: str) -> None:
    page = open_page(model="tiny-encoder", text="a b")
    type_text(page, text)
    assert address_of(page)["text"] == text
    assert named in page.warning[0].value
    assert "`a b c d e f g h i j`" in page.warning[0].value
    assert shown(page)["tokens"]["encoder"] == ["a", "b"]
    assert "`a b`" in page.caption[-1].value


def test_a_long_text_is_refused_whole() -> None:
    page = type_text(open_page(model="tiny-encoder"), "a " * 17)
    assert "17" in page.warning[0].value
    assert "16" in page.warning[0].value
    assert shown(page)["tokens"]["encoder"] == ["g", "f", "e", "d", "c"]


def test_a_hundred_thousand_characters_are_refused() -> None:
    page = open_page(model="tiny-decoder", text="a" * 100_000)
    assert "100,001" in page.warning[0].value
    assert page.text_area(key="text").proto.max_chars == 0  # a limit of the field would swallow a paste without a word


def test_markup_is_shown_as_it_was_typed() -> None:
    page = open_page(model="tiny-decoder", text=MARKUP)
    assert "".join(shown(page)["tokens"]["decoder"][1:]) == MARKUP


def test_a_damaged_model_leaves_the_page_alive() -> None:
    page = open_page(model="tiny-encoder")
    page.session_state[ExplorerState.model.key] = "tiny-damaged"
    page.run()
    assert "`tiny-damaged`" in page.error[0].value
    assert shown(page)["tokens"]["encoder"] == ["g", "f", "e", "d", "c"]
    page.session_state[ExplorerState.model.key] = "tiny-encoder"
    page.run()
    assert not page.error


def test_every_run_is_listed_with_its_last_checkpoint(runs_folder: Path) -> None:
    finished(runs_folder / "mine")
    page = open_page(model="run/mine@12", text="a b c", lang="zh")
    assert not page.warning
    assert locale.t("zh", "page.run_title", name="mine", step="12") in page.selectbox(key="model").options
    assert shown(page)["model"]["name"] == "mine"


def test_a_link_opens_an_earlier_checkpoint(runs_folder: Path) -> None:
    run = finished(runs_folder / "mine")
    held = state_of(open_page(model="run/mine@5", text="a b c"), ExplorerState).shown
    assert held.model == "run/mine@5"
    network = opening.open_model(held.model, held.version).network
    torch.testing.assert_close(network.state_dict(), run.network(5).state_dict(), rtol=0, atol=0)


def test_a_checkpoint_leads_back_to_its_training(runs_folder: Path) -> None:
    run = finished(runs_folder / "mine")

    def back(text: str) -> list[str]:
        links = open_page(model="run/mine@5", text=text).get("page_link")
        return [link.proto.query_string for link in links if link.proto.query_string]

    assert back("a b c") == ["run=mine&step=5"]
    assert back(run_header(run)["sequences"][1]["typed"][0]) == ["run=mine&step=5&seq=1"]


@pytest.mark.parametrize("name", ["run/mine@6", "run/other@12", "run/../mine@12", "run/mine@", "run/mine@²"])
def test_a_checkpoint_that_is_not_there_is_said(name: str, runs_folder: Path) -> None:
    finished(runs_folder / "mine")
    page = open_page(model=name)
    assert name in page.warning[0].value
    assert page.session_state[ExplorerState.model.key] == next(iter(listing.listed()))


def test_a_run_that_was_deleted_meanwhile_is_said_and_the_page_goes_on(runs_folder: Path) -> None:
    finished(runs_folder / "mine")
    page = open_page(model="run/mine@12")
    shutil.rmtree(runs_folder / "mine")
    type_text(page, "a b")
    assert "run/mine@12" in page.warning[0].value
    assert shown(page)["model"]["name"] == next(iter(listing.listed()))


def test_another_run_of_the_same_name_is_another_model(runs_folder: Path) -> None:
    finished(runs_folder / "mine")
    first = state_of(open_page(model="run/mine@12", text="a b c"), ExplorerState).shown
    shutil.rmtree(runs_folder / "mine")
    finished(runs_folder / "mine", seed=1)
    second = state_of(open_page(model="run/mine@12", text="a b c"), ExplorerState).shown
    assert first != second
    assert forward.run(first).trace.logits.tolist() != forward.run(second).trace.logits.tolist()


@pytest.mark.parametrize(
    ("link", "name"), [("zoo/sort", "sort"), ("run/mine", "run/mine@12"), ("zoo/tiny-encoder", "tiny-encoder")]
)
def test_names_of_the_library_open_by_link(link: str, name: str, runs_folder: Path) -> None:
    finished(runs_folder / "mine")
    page = open_page(model=link)
    assert state_of(page, ExplorerState).shown.model == name
    assert not page.warning


def test_a_folder_that_comes_later_is_seen_at_once(
    models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(library.MODELS_FOLDER, str(tmp_path))
    assert "late" not in listing.listed()
    shutil.copytree(models_folder / "tiny-encoder", tmp_path / "late")
    first = listing.listed()["late"]
    (tmp_path / "late" / "config.json").touch()
    assert listing.listed()["late"].version > first.version
    shutil.rmtree(tmp_path)
    assert "late" not in listing.listed()


def test_both_languages_say_the_same() -> None:
    page = open_page(model="tiny-encoder", lang="zh")
    assert page.text_area(key="text").label == locale.t("zh", "page.text")
    page.session_state[Session.lang.key] = "en"
    page.run()
    assert page.text_area(key="text").label == locale.t("en", "page.text")
    assert shown(page)["texts"] == address("en")


def test_without_models_the_page_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("attnviz.server.listing.shipped", dict)
    monkeypatch.setattr("attnviz.server.shelf.EXAMPLE_RUNS", tmp_path)
    monkeypatch.delenv(library.MODELS_FOLDER)
    assert "`ATTNVIZ_MODELS`" in open_page().info[0].value


def lines(page: AppTest) -> list[str]:
    return [message.value for kind in (page.warning, page.info) for message in kind]


def test_a_text_that_does_not_fit_is_helped() -> None:
    page = type_text(open_page(model="reverse"), "hello")
    assert shown(page)["tokens"]["encoder"] == ["g", "f", "e", "d", "c", "<eos>"]  # the last picture stays
    assert len(lines(page)) == 1
    assert "3 to 10 letters a to z" in lines(page)[0]
    page.button(key="fit-use").click().run()
    assert page.text_area(key="text").value == "h e l l o"
    assert shown(page)["tokens"]["encoder"] == [*"hello", "<eos>"]
    assert not lines(page)


def test_another_model_is_offered_for_a_text_that_it_reads() -> None:
    page = type_text(open_page(model="reverse"), "Once upon a time, a fox slept.")
    page.button(key="fit-english").click().run()
    assert state_of(page, ExplorerState).shown.model == "english"
    assert "".join(shown(page)["tokens"]["decoder"][1:]) == "Once upon a time, a fox slept."
    assert "fit-dates" in [button.key for button in type_text(open_page(model="reverse"), "3rd of March 2021").button]


def test_what_a_model_was_not_trained_for_is_said_beside_the_picture() -> None:
    page = open_page(model="addition", text="12+34")
    assert shown(page)["tokens"]["decoder"] == [*"12+34"]
    assert locale.t("en", "fit.unlike", reads="")[:25] in lines(page)[0]
    page.button(key="fit-use").click().run()
    assert page.text_area(key="text").value == "12+34="
    assert not lines(page)
    assert "`Zaphod`" in lines(open_page(model="entities", text="Zaphod wrote to Houston"))[0]


def test_what_is_nothing_of_a_task_is_refused_and_the_picture_and_description_stay() -> None:
    page = type_text(open_page(model="dates"), "hello")
    assert "1900" in lines(page)[0]
    assert shown(page)["tokens"]["encoder"] == [*"3rd of March 2021"]
    assert locale.t("en", "zoo.dates.about")[:40] in messages(page)
    assert shown(type_text(page, "14 July 1989"))["tokens"]["encoder"] == [*"14 July 1989"]


def test_a_target_of_another_source_is_said_and_given_up_by_a_click() -> None:
    page = type_text(open_page(model="dates"), "14 July 1989")
    assert lines(page) == [locale.t("en", "fit.target")]
    page.button(key="fit-target").click().run()
    assert "".join(shown(page)["tokens"]["decoder"][1:]) == "1989-07-14"
    assert not lines(page)
    assert not lines(open_page(model="translation"))


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize(
    "text", ["👋🏽", "你好，世界", "مرحبا", "<b>x</b>", "a " * 2500], ids=["emoji", "zh", "rtl", "html", "long"]
)
def test_every_odd_text_gets_one_line_that_says_what_is_read(text: str, lang: str) -> None:
    for model, word in (("reverse", "a"), ("addition", "+"), ("dates", "1900"), ("sentiment-en", "the film")):
        (line,) = lines(open_page(model=model, text=text, lang=lang))[:1]
        assert word in line
        assert len(line) < 700


def test_a_label_for_the_whole_is_the_one_at_the_first_token() -> None:
    assert shown(open_page(model="digits"))["outputs"]["positions"] == [0]
    assert shown(open_page(model="entities"))["outputs"]["positions"] == []
    assert shown(open_page(model="sentiment-en"))["outputs"]["positions"] == []


def test_two_texts_stand_beside_each_other() -> None:
    page = open_page(model="tiny-encoder", text="a b a", mode="compare", text2="a b c a")
    beside = shown(page)["beside"]
    assert beside["names"] == "pair"
    assert beside["sites"] == [*range(len(shown(page)["sites"]))]
    assert beside["blocks"]["encoder"]["encoder"] == [[0, 0, 2], [2, 3, 1]]
    assert address_of(page)["mode"] == "compare"
    assert address_of(page)["text2"] == "a b c a"
    assert locale.t("en", "compare.heads", n=2, a=2, b=2) in messages(page)
    page.text_area(key="compare-text").set_value("").run()  # the same text: two heads are compared
    assert "text2" not in address_of(page)
    assert shown(page)["beside"]["blocks"]["encoder"]["encoder"] == [[0, 0, 3]]


def test_the_mode_that_is_chosen_begins_with_another_example() -> None:
    page = open_page(model="tiny-encoder")
    page.segmented_control(key="mode").set_value("compare").run()
    assert page.text_area(key="compare-text").value not in ("", page.text_area(key="text").value)
    assert shown(page)["beside"]
    page.segmented_control(key="mode").set_value("look").run()
    assert shown(page)["beside"] is None
    assert "mode" not in address_of(page)


def test_another_model_and_one_without_attention_say_what_can_be_compared() -> None:
    page = open_page(model="tiny-encoder", text="a b a", mode="compare", model2="tiny-decoder")
    assert not page.exception
    page = open_page(model="english-lstm", text="Once upon a time", mode="compare", text2="Once upon a time")
    assert len(page.dataframe) == 2  # it does not stumble where both are the same
    page = open_page(model="english-lstm", text="Once upon a time", mode="compare", model2="english")
    assert locale.t("en", "compare.no_attention") in messages(page)
    assert len(page.dataframe) == 2  # the answers of both, below what people call the models
    titles = [described(model, "title", "en") for model in ("english-lstm", "english")]
    assert all(title in said.value for title, said in zip(titles, page.markdown[-2:], strict=True))


def test_a_mode_that_does_not_exist_is_the_first_one() -> None:
    page = open_page(mode="dance")
    assert "mode" in messages(page)
    assert shown(page)["beside"] is None


def test_several_texts_have_a_picture_and_a_number_each() -> None:
    page = open_page(model="tiny-encoder", mode="several", texts="a b a\n\n  b b  \nnot ♥ these", at="encoder.0.self:1")
    table = page.dataframe[0].value
    assert table[locale.t("en", "several.column.text")].tolist() == ["a b a", "b b"]
    assert "♥" in messages(page)  # the third is refused, and the others are shown
    weights = forward.run(TraceKey("tiny-encoder", "b b", version=listing.listed()["tiny-encoder"].version)).trace
    mean = float(entropy(weights.site("encoder.0.self").weights(1)).mean())
    assert table[locale.t("en", "several.column.entropy")].tolist()[1] == pytest.approx(mean)
    assert address_of(page)["at"] == "encoder.0.self:1"
    page.segmented_control(key="several-measure").set_value("weight").run()
    page.text_input(key="several-token").set_value("a").run()
    weight = page.dataframe[0].value[locale.t("en", "several.column.weight")].tolist()
    assert 0 < weight[0] < 1
    assert weight[1] != weight[1]  # there is no "a"
    assert address_of(page)["token"] == "a"


def test_several_begins_with_the_models_examples_and_stops_at_a_number() -> None:
    page = open_page(model="tiny-decoder")
    page.segmented_control(key="mode").set_value("several").run()
    assert page.text_area(key="several-texts").value.splitlines()[0] == page.session_state["text"]
    page.text_area(key="several-texts").set_value("\n".join("ab" for _ in range(40))).run()
    assert len(page.dataframe[0].value) == 1  # the same text is one picture
    page.text_area(key="several-texts").set_value("\n".join("a" * n for n in range(1, 41))).run()
    assert len(page.dataframe[0].value) == 16
    assert "40" in messages(page)
    page.text_area(key="several-texts").set_value("a b a\n?\n!").run()
    assert len(page.dataframe[0].value) == 1
    assert len(page.warning) == 1  # one box for all that are refused
    page.text_area(key="several-texts").set_value(" ").run()
    assert not page.dataframe
    assert not page.exception


def test_several_of_a_model_without_attention_are_its_answers() -> None:
    page = open_page(model="english-lstm", mode="several")
    assert not page.exception
    assert locale.t("en", "states.no_attention") in messages(page)
    assert page.dataframe[0].value[locale.t("en", "several.column.probability")].notna().all()


def test_edits_stay_in_force_in_a_mode_and_it_says_so() -> None:
    edits = "off:encoder.0.self:1"
    page = open_page(model="tiny-encoder", mode="several", texts="a b a", edits=edits, measure="effect")
    assert edits in messages(page)
    table = page.dataframe[0].value
    before, after = (table[locale.t("en", f"several.column.{name}")][0] for name in ("before", "after"))
    assert before != after
