"""A login that the operator configured stands before every page; without one nobody is asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st

from attnviz import locale
from attnviz.ui import PAGES
from tests.ui.pages import open_page


@pytest.mark.parametrize("name", ["explorer", "runs"])
@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_nobody_sees_a_page_before_the_login(name: str, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert name in PAGES
    monkeypatch.setattr(st, "user", SimpleNamespace(to_dict=lambda: {"is_logged_in": False}))
    page = open_page(name, lang=lang)
    assert [header.value for header in page.header] == [locale.t(lang, "login.title")]
    assert [button.key for button in page.button] == ["login"]
    assert len(page.get("page_link")) == 0


@pytest.mark.parametrize("said", [{"is_logged_in": True}, {}])
def test_who_has_been_through_it_sees_the_page(said: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "user", SimpleNamespace(to_dict=lambda: said))
    assert "login" not in [button.key for button in open_page("runs").button]
