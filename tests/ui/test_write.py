"""Write, as the server builds it: the plan in the address, tokens taken, templates, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import attnviz
from attnviz import locale
from attnviz.library import MODELS_FOLDER
from attnviz.server.stores import UPLOADS
from attnviz.ui.explorer.write import KEY, WriteState, _more, _take
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.test_writing import chatting
from tests.ui.pages import address, messages, payload, state_of
from tests.ui.pages import open_page as open_named

pytestmark = pytest.mark.usefixtures("operator_models")
SAMPLE = "sample,temperature=1.2,top_k=9,seed=1,max_new=6"


def open_page(**params: str) -> AppTest:
    return open_named("explorer", mode="write", **params)


def told(page: AppTest) -> dict[str, Any]:
    found = payload(page, "continuation")
    assert found is not None
    return found


def test_a_link_opens_the_same_text_in_both_languages() -> None:
    written = attnviz.write(attnviz.load_model("zoo/english"), "One day", temperature=1.2, top_k=9, seed=1, max_new=6)
    for lang in locale.LANGUAGES:
        page = open_page(model="english", text="One day", write=SAMPLE, lang=lang)
        assert told(page)["continuation"] == written.continuation
        assert (address(page)["write"], address(page)["mode"]) == (SAMPLE, "write")
        assert told(page)["lang"] == lang


def test_an_encoder_says_that_it_does_not_write() -> None:
    page = open_page(model="tiny-encoder", text="g f e d c", lang="zh")
    assert "编码器" in messages(page)
    assert "encoder）" not in messages(page)
    assert payload(page, "continuation") is None
    assert not page.slider  # nothing to set
    assert "says numbers" in messages(open_page(model="series"))


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("sample,temperature=1e9", "from 0.01 to 100"),
        ("beam,beams=1000", "from 2 to 16"),
        ("sample,top_k=0", "leave it out"),
        ("nothing", "choose greedy, sample or beam"),
        ("greedy,taken=99999", "has no token"),
    ],
)
def test_a_link_with_a_wrong_plan_says_what_to_give(plan: str, said: str) -> None:
    page = open_page(model="english", text="One day", write=plan)
    assert said in messages(page).replace("`", "")


def test_a_long_link_is_cut_to_what_a_page_writes() -> None:
    page = open_page(model="dates", text="3rd of March 2021", write="greedy,max_new=512")
    assert address(page)["write"] == "greedy,max_new=200"
    assert (len(told(page)["steps"]), told(page)["more"]) == (10, False)
    assert "target" not in address(page)


def test_the_target_of_an_encoder_decoder_is_begun() -> None:
    page = open_page(model="dates", text="3rd of March 2021", begin="2020-", write="greedy,max_new=4")
    written = attnviz.write(attnviz.load_model("zoo/dates"), "3rd of March 2021", "2020-", max_new=4)
    assert told(page)["continuation"] == written.continuation
    assert "".join(told(page)["before"]).endswith("2020-")
    page.text_input(key="write-begin").set_value("1999").run()
    assert (address(page)["begin"], "target" in address(page)) == ("1999", False)
    assert "".join(told(page)["before"]).endswith("1999")
    page.text_input(key="write-begin").set_value("日").run()
    assert "日" in messages(page)
    page.selectbox(key="model").set_value("english").run()
    assert "begin" not in address(page)
    assert not [field for field in page.text_input if field.key == "write-begin"]
    assert "begin" not in address(open_page(model="english", text="One day", begin="x"))


def test_taking_another_token_writing_more_and_undoing(monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(model="english", text="One day", write="greedy,max_new=4")
    first = told(page)
    step = first["steps"][1]
    other = next(one["id"] for one in step["candidates"] if one["id"] != step["id"])
    ids = [first["steps"][0]["id"], other]
    for press, value in ((_take, {"step": 1, "token": other}), (_more, True)):
        session = {KEY: {"take": value}} | {name: page.session_state[name] for name in ("WriteState", "write-max-new")}
        monkeypatch.setattr("streamlit.session_state", session)
        press()
        page.session_state["write-max-new"] = session["write-max-new"]
        monkeypatch.undo()
        page.run()
    second = told(page)
    assert [one["id"] for one in second["steps"][:2]] == ids
    assert (len(second["steps"]), second["taken"]) == (24, 2)
    assert address(page)["write"] == f"greedy,max_new=24,taken={'.'.join(map(str, ids))}"
    state_of(page, WriteState).taken = ()
    assert told(page.run())["continuation"].startswith(first["continuation"])


def test_tokens_that_were_taken_belong_to_their_text() -> None:
    page = open_page(model="english", text="One day", write="greedy,max_new=4,taken=5.6")
    assert told(page)["taken"] == 2
    page.text_area(key="text").set_value("Once upon").run()
    assert (told(page)["taken"], address(page)["write"]) == (0, "greedy,max_new=4")


def test_a_chat_template_is_shown_and_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_FOLDER, str(tmp_path))
    tokenizer = chatting()
    gpt2 = next(architecture for architecture in ARCHITECTURES if architecture.name == "GPT-2")
    for part in (gpt2.build(vocab_size=len(tokenizer)), tokenizer):
        part.save_pretrained(tmp_path / "chatty")
    page = open_page(model="chatty", text="the cat", write="greedy,max_new=3")
    assert page.code[0].value == "<s>user: the cat bot:"
    page.toggle(key="write-template").set_value(False).run()
    assert not page.code
    assert address(page)["write"] == "greedy,max_new=3,template=0"
    page.text_area(key="text").set_value("<s><s>the cat").run()
    assert "begins with <s> twice" in messages(page).replace("`", "")


def test_the_chat_template_of_an_upload_is_run_apart_from_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = chatting()
    gpt2 = next(architecture for architecture in ARCHITECTURES if architecture.name == "GPT-2")
    for part in (gpt2.build(vocab_size=len(tokenizer)), tokenizer):
        part.save_pretrained(tmp_path / "chatty")
    archive = shutil.make_archive(str(tmp_path / "chatty"), "zip", tmp_path / "chatty")
    with open(archive, "rb") as file:
        name = UPLOADS.put(file, "chatty.zip").name
    UPLOADS.examine(name)  # its process takes long to begin where much else runs, and a page waits less
    monkeypatch.delattr("transformers.PreTrainedTokenizerBase.apply_chat_template")
    page = open_page(model=name, text="the cat", write="greedy,max_new=3")
    assert page.code[0].value == "<s>user: the cat bot:"
    page.text_area(key="text").set_value("the cat " * 30).run()
    assert "reads at most 64" in messages(page)  # the text alone would fit
    page.toggle(key="write-template").set_value(False).run()
    assert not page.code
    UPLOADS.drop(name)


def test_edits_of_the_link_stay_in_force() -> None:
    page = open_page(model="english", text="One day", write="greedy,max_new=4", edits="off:decoder.0.self:0")
    assert told(page)["edits"] == ["HeadOff(site='decoder.0.self', head=0, baseline='zero')"]
    assert "Edits are in force here" in messages(page)
    plain = attnviz.write(attnviz.load_model("zoo/english"), "One day", max_new=4)
    assert told(page)["steps"][0]["candidates"][0]["probabilities"]["model"] != plain.steps[0].candidates[0][1][0]
