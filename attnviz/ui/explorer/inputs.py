"""What people give to a model: a text, a second one, an image."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from attnviz.server.images import HANDED_IN, KINDS, MAX_MB
from attnviz.server.reads import Reads
from attnviz.server.samples import SAMPLES
from attnviz.server.stores import IMAGES
from attnviz.ui.frame.address import notice
from attnviz.ui.frame.files import choose_file
from attnviz.ui.frame.language import say

__all__ = ["choose_image", "image_in_link", "image_title", "link_image", "type_texts"]

PREVIEW = 68  # pixels


def type_texts(reads: Reads) -> None:
    """The fields of a text and of a second one, as far as the model reads them."""
    if reads.text:
        is_pair = reads.second == "sentence"
        label = "page.source" if reads.second == "target" else "models.sentence_a" if is_pair else "page.text"
        _field(say(label), "text", say("page.text_placeholder"))
    if reads.second:
        label = "page.target" if reads.second == "target" else "models.sentence_b"
        hint = "page.target_placeholder" if reads.second == "target" else "models.sentence_b_placeholder"
        _field(say(label), "target", say(hint))


def _field(label: str, key: str, placeholder: str) -> None:
    st.text_area(
        label,
        key=key,
        height=68,
        placeholder=placeholder,
        label_visibility="collapsed",
        persist_state="session",
    )


def choose_image() -> None:
    """The samples, and an image of one's own."""
    state = st.session_state
    own: str | None = state.get("own_image")
    if own is not None and own not in IMAGES:  # others handed in so many that it had to go
        state["own_image"] = own = None
        notice("error.image_gone")
    names = [*SAMPLES, *([own] if own is not None else [])]
    if state.get("image") not in names:
        state["image"] = names[0]
    with st.container(horizontal=True, key="image-box", gap="small", vertical_alignment="center"):
        title = image_title(state["image"])
        st.image(IMAGES.get(state["image"]).resize((2 * PREVIEW, 2 * PREVIEW)), width=PREVIEW, alt=title)
        with st.container(key="image-choice", gap="xxsmall"):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.segmented_control(
                    say("models.image"),
                    names,
                    format_func=image_title,
                    key="image",
                    required=True,
                    label_visibility="collapsed",
                    persist_state="session",
                )
                with st.popover(say("models.image.own"), icon=":material/upload:", key="own-image"):
                    choose_file(say("models.image.take", limit=MAX_MB), KINDS, "image-file", MAX_MB, _take_image)
            if state["image"] == own:
                st.caption(say("models.image.stays"))


def _take_image(content: bytes, name: str) -> None:
    st.session_state["own_image"] = st.session_state["image"] = IMAGES.put(content)


def image_title(name: str) -> str:
    """An image as people call it."""
    return say(f"models.image.{name}") if name in SAMPLES else say("models.image.mine")


def image_in_link(name: str) -> str:
    """What stands for an image in a link."""
    return name if name in SAMPLES or not name else HANDED_IN


def link_image(name: str) -> None:
    """Choose the image that a link names; where that cannot be, a sample, and the page says so."""
    state = st.session_state
    own: str | None = state.get("own_image")
    if name == HANDED_IN and own is not None and own in IMAGES:
        state["image"] = own
    elif name in SAMPLES:
        state["image"] = name
    else:
        with suppress(KeyError):
            del state["image"]
        if name == HANDED_IN:
            notice("models.image.not_in_link")
        else:
            notice("models.image.unknown", name=name)
