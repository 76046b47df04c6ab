"""Save a page's parameters as a file, where they are too long for an address, and open them again on that page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.bounded import parse_json
from attnviz.errors import FileNotPage
from attnviz.ui.frame.address import LONGEST, Address, length
from attnviz.ui.frame.files import choose_file
from attnviz.ui.frame.language import say

__all__ = ["from_file", "offer", "take", "to_file"]

KIND, VERSION = "page", 1
MOST_MB = 16
MIME = "application/json"
JUST_SAVE: Literal["ignore"] = "ignore"  # the page needs not run again
ICON = ":material/folder_open:"


def to_file(page: str, parameters: Mapping[str, str]) -> str:
    """Return the parameters of a page as a file."""
    content = {"attnviz": KIND, "version": VERSION, "page": page, "parameters": dict(parameters)}
    return json.dumps(content, ensure_ascii=False, indent=1)


def from_file(content: bytes, name: str, address: Address) -> dict[str, str]:
    """Return the parameters in a file, the inverse of `to_file`.

    Args:
        address: address of the page that it is for.

    Raises:
        FileNotPage: it is another file, or one of another page.
    """
    try:
        values = parse_json(content.decode("utf-8-sig"), strict=True)
    except ValueError as error:
        raise FileNotPage(name, f"JSON: {error}") from error
    if not isinstance(values, dict) or (values.get("attnviz"), values.get("version")) != (KIND, VERSION):
        raise FileNotPage(name, f'"attnviz": "{KIND}", "version": {VERSION}')
    if values.get("page") != address.page:
        raise FileNotPage(name, f'"page": "{address.page}"')
    parameters = values.get("parameters")
    if not isinstance(parameters, dict) or not all(isinstance(value, str) for value in parameters.values()):
        raise FileNotPage(name, '"parameters"')
    return {key: value for key, value in parameters.items() if key in address.names}


def offer(messages: DeltaGenerator, address: Address, parameters: Mapping[str, str]) -> None:
    """Offer the page as a file when its state does not fit into an address."""
    if length(parameters) <= LONGEST:
        return
    name = f"attnviz-{address.page}.json"
    with messages.container(horizontal=True, key="too-long", gap="small", vertical_alignment="center"):
        st.warning(say("page.too_long"), width="stretch")
        st.download_button(
            say("page.file.save"),
            to_file(address.page, parameters),
            file_name=name,
            mime=MIME,
            icon=":material/download:",
            key="save-page",
            on_click=JUST_SAVE,
        )


def take(address: Address) -> None:
    """Open a file that `offer` made."""
    with st.popover("", icon=ICON, key="open-page", help=say("page.file.open")):
        choose_file(say("page.file.open"), ["json"], "page-file", MOST_MB, partial(_open, address))


def _open(address: Address, content: bytes, name: str) -> None:
    address.apply(from_file(content, name, address))
