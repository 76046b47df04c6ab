"""Hugging Face models on the Explorer page: what can be given to them, and what is said of those that cannot open."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import attnviz
from attnviz import errors, locale
from attnviz.server import forward, listing, opening, stores
from attnviz.server.open_models import ModelKey
from attnviz.server.reads import Reads
from attnviz.server.traces import TraceKey
from attnviz.ui.explorer.sentences import general_examples, with_mask
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.state import Session
from tests.ui.pages import address, click, messages, run, state_of
from tests.ui.real import stand_in_for_the_hub
from tests.ui.test_explorer import header, open_page, shown, type_text

pytestmark = pytest.mark.usefixtures("operator_real_models")

WHOLE = ("tiny-bert", "tiny-gpt2", "tiny-bart", "tiny-vit", "tiny-clip")


def say(key: str, **params: Any) -> str:
    return locale.t("en", key, **params)


def tokens(page: AppTest) -> dict[str, list[str]]:
    return dict(shown(page)["tokens"])


def fields(page: AppTest) -> list[str]:
    return [field.key for field in page.text_area]


@pytest.mark.parametrize("name", WHOLE)
def test_a_model_opens_on_an_example(name: str) -> None:
    page = open_page(model=name)
    assert not page.error
    assert not page.warning
    assert {site["n_heads"] for site in shown(page)["sites"]} == {4}
    about = page.caption[1].value  # below the line that says what the page is
    assert shown(page)["model"]["kind"] in about
    assert f"{shown(page)['model']['n_parameters']:,}" in about
    assert "float32" in about


def test_the_list_says_the_class() -> None:
    options = open_page(model="tiny-bert").selectbox(key="model").options
    assert say("page.model_title", title="tiny-bert", kind="BertForMaskedLM") in options
    assert "pickled" in options  # it says why when it is chosen


def test_an_encoder_reads_a_second_sentence() -> None:
    page = open_page(model="tiny-bert", text="the cat", target="sat on")
    assert fields(page) == ["text", "target"]
    assert page.text_area(key="target").label == say("models.sentence_b")
    assert shown(page)["segments"]["encoder"] == [None, 0, 0, None, 1, 1, None]
    assert tokens(page)["encoder"].count("[SEP]") == 2
    assert address(page)["target"] == "sat on"
    page.text_area(key="target").set_value("")
    assert tokens(run(page))["encoder"].count("[SEP]") == 1


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_question_is_answered_by_a_span_of_a_text(lang: str) -> None:
    page = open_page(model="tiny-qa", lang=lang)
    assert not page.error
    names = [locale.t(lang, key) for key in ("models.question", "models.context")]
    assert [page.text_area(key=key).label for key in ("text", "target")] == names
    assert page.text_area(key="target").value == locale.t(lang, "models.example.question.1.second")
    page = open_page(model="tiny-qa", text="the cat", target="the cat sat on the mat", lang=lang)
    span, segments = shown(page)["outputs"]["span"], shown(page)["segments"]["encoder"]
    assert span["context"] == [place for place, sentence in enumerate(segments) if sentence == 1]
    assert {span["begin"], span["end"]} <= set(span["context"])
    assert 0 < span["p"] < 1
    assert span["none"] is not None


def test_a_token_is_hidden_with_a_button() -> None:
    page = click(open_page(model="tiny-bert", text="the cat sat."), "mask")
    assert page.text_area(key="text").value == "the cat sat [MASK]."
    assert shown(page)["outputs"]["positions"] == [4]
    assert "mask" not in [button.key for button in open_page(model="tiny-gpt2").button]


def test_a_decoder_continues_its_text() -> None:
    page = open_page(model="tiny-gpt2", text="the cat")
    page = click(page, "continue")
    text = page.text_area(key="text").value
    assert text is not None
    assert text.startswith("the cat")
    assert len(text) > len("the cat")
    assert fields(page) == ["text"]


def test_an_encoder_decoder_reads_a_source_and_writes_its_target() -> None:
    page = open_page(model="tiny-bart", text="the cat")
    assert page.text_area(key="text").label == say("page.source")
    assert set(tokens(page)) == {"encoder", "decoder"}
    page.text_area(key="target").set_value("the mat")
    assert "mat" in " ".join(tokens(run(page))["decoder"])


def test_a_model_of_images_sees_a_sample_and_the_link_names_it() -> None:
    page = open_page(model="tiny-vit")
    assert fields(page) == []
    assert shown(page)["grids"]
    assert address(page) == {"model": "tiny-vit", "image": "house", "lang": "en"}
    page = open_page(model="tiny-vit", image="cat")
    assert not page.warning
    assert address(page)["image"] == "cat"
    held = state_of(page, ExplorerState).shown
    assert held.image == "cat"


def _images(page: AppTest) -> Any:
    """Where an image is handed in; the page takes other files as well."""
    return next(uploader for uploader in page.file_uploader if str(uploader.key).startswith("image-file-"))


def test_an_image_of_ones_own_is_seen_and_not_in_the_link() -> None:
    page = open_page(model="tiny-vit")
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(file, "PNG")
    _images(page).set_value(("red.png", file.getvalue(), "image/png"))
    page = run(page)
    assert state_of(page, ExplorerState).shown.image == state_of(page, ExplorerState).own_image
    assert address(page)["image"] == "upload"
    assert say("models.image.stays") in messages(page)
    elsewhere = open_page(model="tiny-vit", image="upload")
    assert say("models.image.not_in_link") in messages(elsewhere)
    assert address(elsewhere)["image"] == "house"


def test_what_is_no_image_is_refused_and_the_picture_stays() -> None:
    page = open_page(model="tiny-vit")
    _images(page).set_value(("a.png", b"no image", "image/png"))
    page = run(page)
    assert say("error.image_unreadable", reason="").split("(")[0] in messages(page)
    assert state_of(page, ExplorerState).shown.image == "house"


def test_an_unknown_sample_falls_back_and_says_so() -> None:
    page = open_page(model="tiny-vit", image="<b>")
    assert "`<b>`" in page.warning[0].value
    assert address(page)["image"] == "house"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no-config", "model_not_found"),
        ("no-tokenizer", "no_tokenizer"),
        ("pickled", "unsafe_weights"),
        ("unknown", "unknown_architecture"),
        ("remote", "remote_code"),
        ("truncated", "model_corrupt"),
        ("wrong-tokenizer", "tokenizer_mismatch"),
        ("deberta", "attention_hidden"),
        ("bloom", "attention_hidden"),
        ("mpt", "attention_hidden"),
    ],
)
def test_what_cannot_be_opened_is_said_and_the_model_that_was_open_stays(name: str, error: str) -> None:
    page = open_page(model="tiny-bert", text="the cat")
    for lang in locale.LANGUAGES:
        page.session_state[Session.lang.key] = lang
        page.session_state[ExplorerState.model.key] = name
        page = run(page)
        assert len(page.error) == 1
        assert f"`{name}`" in page.error[0].value
        assert "\n" not in page.error[0].value
        before = locale.t(lang, f"error.{error}", **dict.fromkeys(PLACEHOLDERS, "\0")).split("\0")
        assert all(part in page.error[0].value for part in before)
        assert shown(page)["model"]["name"] == "tiny-bert"
        assert tokens(page)["encoder"][:3] == ["[CLS]", "the", "cat"]
        assert page.text_area(key="text").value == "the cat"


PLACEHOLDERS = ("name", "missing", "file", "reason", "architecture", "tokens", "vocabulary", "layer", "kind")


def test_a_long_text_is_refused_by_the_model_or_by_the_page() -> None:
    page = type_text(open_page(model="tiny-gpt2", text="the cat"), "a" * 65)
    assert say("error.text_too_long", length=65, limit=64) in messages(page)
    assert state_of(page, ExplorerState).shown.text == "the cat"
    page = type_text(open_page(model="tiny-long", text="the cat"), "a" * 2049)
    assert say("error.text_over_limit", length="2,049", limit="2,048") in messages(page)
    assert header(type_text(page, "a" * 2048)) is not None
    assert not page.warning


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-long", "tiny-bart"])
def test_a_book_is_refused_before_anything_is_done_with_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(model=name, text="the cat")
    monkeypatch.setattr(attnviz, "trace", lambda *_, **__: pytest.fail("it was read"))
    type_text(page, "the cat sat. " * 16_000)
    assert "Shorten the text" in messages(page)


def test_models_of_the_hub_are_not_downloaded_unless_the_operator_says() -> None:
    page = open_page(model="hf:gpt2")
    assert locale.t("en", "error.downloads_off", name="`hf:gpt2`", variable="`ATTNVIZ_DOWNLOADS`") in messages(page)
    assert shown(page)["model"]["name"] == next(iter(listing.listed()))


def test_a_model_of_the_hub_opens_by_its_link(monkeypatch: pytest.MonkeyPatch, real_folder: Path) -> None:
    asked = stand_in_for_the_hub(monkeypatch, real_folder / "tiny-gpt2")
    page = open_page(model="hf:someone/tiny", text="the cat")
    assert asked == ["hf:someone/tiny"]
    assert not page.error
    assert address(page)["model"] == "hf:someone/tiny"
    stores.MODELS.drop(ModelKey("hf:someone/tiny"))


@pytest.mark.parametrize("where", ["open", "run"])
def test_too_little_memory_is_said(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(model="tiny-bert", text="the cat")
    module, name = (opening, "_load") if where == "open" else (forward, "_trace")

    def fails(*_: object, **__: object) -> None:
        raise errors.OutOfMemory("tiny-gpt2")

    with monkeypatch.context() as patch:
        patch.setattr(module, name, fails)
        stores.MODELS.drop(ModelKey("tiny-gpt2", listing.listed()["tiny-gpt2"].version))
        page.session_state[ExplorerState.model.key] = "tiny-gpt2"
        page = run(page)
        assert say("error.out_of_memory", name="`tiny-gpt2`") in messages(page)
        assert shown(page)["model"]["name"] == "tiny-bert"
    assert shown(run(page))["model"]["name"] == "tiny-gpt2"


def test_what_the_models_own_code_says_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(model="tiny-bert", text="the cat")
    monkeypatch.setattr(attnviz, "trace", lambda *_, **__: [][0])
    type_text(page, "sat")
    assert say("error.model_failed", name="`tiny-bert`", reason="`list index out of range`") in messages(page)


def test_a_dropped_model_takes_its_traces_along(real_folder: Path) -> None:
    key = TraceKey("tiny-bert", "the cat on the mat")
    held = forward.run(key)
    assert stores.TRACES.get(held.id) is held.trace
    stores.MODELS.drop(ModelKey("tiny-bert"))
    assert stores.TRACES.get(held.id) is None
    assert forward.run(key).id != held.id


def test_a_model_that_was_handed_in_and_is_gone_is_said() -> None:
    page = open_page(model="upload/" + "0" * 32)
    assert say("models.upload_gone", name=f"`upload/{'0' * 32}`") in messages(page)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_examples_are_there_in_both_languages(lang: str) -> None:
    for reads in (Reads(), Reads(mask="<mask>"), Reads(continues=True), Reads(second="target"), Reads(image=True)):
        examples = general_examples(reads, lang)
        assert len(examples) == 3
        assert all(("<mask>" in text) == bool(reads.mask) for text, _ in examples)
    assert general_examples(Reads(text=False, image=True), lang) == ()


@pytest.mark.parametrize(
    ("text", "hidden"), [("", "M"), ("a b", "a b M"), ("a b. ", "a b M."), ("?!", "M?!"), ("a M", "a M M")]
)
def test_a_hidden_token_stands_before_the_full_stop(text: str, hidden: str) -> None:
    assert with_mask(text, "M") == hidden
