"""The gallery: a card for each application, with a small picture that its model has just made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.server.listing import Listed
from attnviz.ui.applications.first import first_case
from attnviz.ui.applications.registry import APPLICATIONS, Application
from attnviz.ui.frame.charts import theme
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.widgets import button

__all__ = ["gallery"]


def gallery(models: Mapping[str, Listed | None], open_one: Callable[[str], None]) -> None:
    """Show all cards.

    Args:
        models: the model that each application begins with; None: there is none.
        open_one: is given the name of the application that was chosen.
    """
    st.caption(say("applications.gallery"))
    with st.container(key="gallery"):
        places = {name: _card(name, open_one) for name in APPLICATIONS}
    for name, place in places.items():
        model = models[name]
        picture = "" if model is None else _picture(APPLICATIONS[name], model, current(), theme().page)
        place.html(f'<div class="av-picture">{picture}</div>')


def _card(name: str, open_one: Callable[[str], None]) -> DeltaGenerator:
    """Place a card; return the place of its picture, which comes later."""
    with st.container(border=True, key=f"app-card-{name}", gap="xsmall"):
        place = st.container(key=f"app-picture-{name}")
        button(say(f"applications.{name}.title"), f"open-{name}", open_one, name, type="tertiary")
        st.caption(plain(say(f"applications.{name}.about")))
    return place


@lru_cache(64)
def _picture(application: Application, model: Listed, lang: str, page: str) -> str:
    """Make the picture of a card once for a language, for the labels in it, and for the colour of the page."""
    return application.picture(first_case(model, application.works))
