"""Inputs of the Explorer: what a model reads, and the fields for a text, a second one, an image."""

from __future__ import annotations

import streamlit as st

from attnviz.errors import AttnvizError
from attnviz.server.images import HANDED_IN, KINDS, MAX_MB
from attnviz.server.listing import Listed
from attnviz.server.opening import open_model
from attnviz.server.reads import Reads, reads_of
from attnviz.server.samples import SAMPLES
from attnviz.server.stores import IMAGES
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.address import notice
from attnviz.ui.frame.files import choose_file
from attnviz.ui.frame.language import say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import Widget, segments

__all__ = ["choose_image", "image_in_link", "image_title", "link_image", "reads_of_listed", "type_texts"]

PREVIEW = 68  # pixels
FIELDS = {
    "": ("page.text", "", ""),
    "target": ("page.source", "page.target", "page.target_placeholder"),
    "sentence": ("models.sentence_a", "models.sentence_b", "models.sentence_b_placeholder"),
    "context": ("models.question", "models.context", "models.context_placeholder"),
}
"""Messages that name the fields of both texts and say what the second one is for, by `Reads.second`."""


def reads_of_listed(model: Listed) -> Reads | None:
    """Return the inputs of a model, opening a Hugging Face model to ask it; None if it cannot be opened."""
    if model.architecture:
        return Reads(
            second="target" if model.architecture == "encoder-decoder" else "",
            continues=model.architecture == "decoder",
        )
    try:
        return reads_of(open_model(model.name, model.version))
    except AttnvizError:  # the picture says why
        return None


def type_texts(reads: Reads) -> None:
    """Show the fields of a text and of a second one, as far as the model reads them."""
    first, second, hint = FIELDS[reads.second]
    if reads.text:
        _field(say(first), ExplorerState.text, say("page.text_placeholder"))
    if reads.second:
        _field(say(second), ExplorerState.target, say(hint))


def _field(label: str, widget: Widget[str], placeholder: str) -> None:
    frozen = page_state(ExplorerState).frozen
    st.text_area(label, height=68, placeholder=placeholder, disabled=frozen, **widget.kept)


def choose_image() -> None:
    """Show the samples, and an image of one's own."""
    state, image = page_state(ExplorerState), ExplorerState.image
    if state.own_image and state.own_image not in IMAGES:  # others handed in so many that it had to go
        state.own_image = ""
        notice("error.image_gone")
    titles = {name: image_title(name) for name in filter(None, (*SAMPLES, state.own_image))}
    if image.value not in titles:
        image.value = next(iter(titles))
    with st.container(horizontal=True, key="image-box", gap="small", vertical_alignment="center"):
        picture = IMAGES.get(image.value).resize((2 * PREVIEW, 2 * PREVIEW))
        st.image(picture, width=PREVIEW, alt=titles[image.value])
        with st.container(key="image-choice", gap="xxsmall"):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                segments(say("models.image"), image, titles, label_visibility="collapsed")
                with st.popover(say("models.image.own"), icon=":material/upload:", key="own-image"):
                    choose_file(say("models.image.take", limit=MAX_MB), KINDS, "image-file", MAX_MB, _take_image)
            if image.value == state.own_image:
                st.caption(say("models.image.stays"))


def _take_image(content: bytes, name: str) -> None:
    page_state(ExplorerState).own_image = ExplorerState.image.value = IMAGES.put(content)


def image_title(name: str) -> str:
    """Return the title of an image."""
    return say(f"models.image.{name}") if name in SAMPLES else say("models.image.mine")


def image_in_link(name: str) -> str:
    """Return the name of an image as a link has it."""
    return name if name in SAMPLES or not name else HANDED_IN


def link_image(name: str) -> None:
    """Choose the image that a link names; where that cannot be, a sample, and the page says so."""
    own = page_state(ExplorerState).own_image if name == HANDED_IN else ""
    found = name in SAMPLES or (own and own in IMAGES)
    ExplorerState.image.value = (own or name) if found else ""
    if not found and name == HANDED_IN:
        notice("models.image.not_in_link")
    elif not found:
        notice("models.image.unknown", name=name)
