"""The navigation, titles and headings of every page."""

from __future__ import annotations

from itertools import pairwise

import pytest

from attnviz import locale
from attnviz.ui import PAGES, PLACES
from tests.ui.pages import open_page

LEVELS = {"title": 1, "header": 2, "subheader": 3}


def test_every_page_has_one_of_five_places() -> None:
    assert len(PLACES) == 5
    assert [name for names in PLACES for name in names] == list(PAGES)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title_headings_in_order_and_ways_to_all_others(name: str, lang: str) -> None:
    page = open_page(name, lang=lang)
    assert [title.value for title in page.title] == [locale.t(lang, f"page.{name}")]
    levels = [LEVELS[element.type] for element in page.main if element.type in LEVELS]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert not [text.value for text in page.markdown if text.value.lstrip().startswith("#")]
    (here,) = [names for names in PLACES if name in names]
    labels = [locale.t(lang, f"page.place.{names[0]}") for names in PLACES]
    labels += [locale.t(lang, f"page.{each}") for each in here if len(here) > 1]
    assert [link.proto.label for link in page.get("page_link")][: len(labels)] == labels
