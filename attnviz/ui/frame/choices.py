"""Models and runs that the person of this session may see; others are as if they were not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from attnviz import loading
from attnviz.errors import RunNotFound
from attnviz.server import listing, shelf
from attnviz.server.listing import Listed
from attnviz.server.people.rights import Person, may_look
from attnviz.server.shelf import Entry
from attnviz.server.stores import MODELS
from attnviz.training import Run, runs_root
from attnviz.ui.frame.language import current
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.who import me

__all__ = ["entries", "find", "find_run", "hub_name", "listed", "openable"]

ID = re.compile(r"(?:https?://huggingface\.co/)?(?P<id>\w[\w.-]*(?:/\w[\w.-]*)?)/?", re.ASCII)


def find_run(name: str) -> Run:
    """Return a run by its name, see `attnviz.loading.find_run`."""
    run = loading.find_run(name)
    if not may_look(me(), run.folder):
        raise RunNotFound(name)
    return run


def entries() -> list[Entry]:
    """Return the runs, see `attnviz.server.shelf.entries`."""
    mine, root = me(), runs_root()
    return [
        entry
        for entry in shelf.entries()
        if may_look(mine, root / entry.name if entry.run is None else entry.run.folder)
    ]


def find(name: str) -> Listed | None:
    """Return a model by its name, see `attnviz.server.listing.find`."""
    found = listing.find(name)
    return found if found is not None and _is_seen(found, me()) else None


def listed(lang: str = "") -> Mapping[str, Listed]:
    """Return the models by name, see `attnviz.server.listing.listed`."""
    mine = me()
    return {name: model for name, model in listing.listed(lang).items() if _is_seen(model, mine)}


def openable() -> Iterator[Listed]:
    """Return all models that can be opened: those that a person brought come first."""
    upload = find(page_state(Session).upload)
    hub = [find(key.name) for key in MODELS.keys() if key.name.startswith(loading.HUB)]  # noqa: SIM118
    return filter(None, [upload, *hub, *listed(current()).values()])


def hub_name(text: str) -> str | None:
    """Return the name of a model of the Hugging Face Hub from its id or its address; None: it is neither.

    Example:
        >>> hub_name("https://huggingface.co/org/model"), hub_name("not one")
        ('hf:org/model', None)
    """
    match = ID.fullmatch(text.strip())
    return None if match is None else loading.HUB + match["id"]


def _is_seen(model: Listed, person: Person) -> bool:
    return model.run is None or may_look(person, model.run)
