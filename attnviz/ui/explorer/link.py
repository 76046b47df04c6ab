"""The Explorer's address: mode, model, text, target, image, edits; the view writes layer, head, lock and the like."""

from __future__ import annotations

from collections.abc import Mapping

from streamlit.delta_generator import DeltaGenerator

from attnviz.downloads import DOWNLOADS
from attnviz.errors import DownloadsOff
from attnviz.loading import HUB
from attnviz.server.listing import Listed
from attnviz.server.picture import PLACE
from attnviz.server.reads import Reads
from attnviz.server.traces import TraceKey
from attnviz.server.uploads import is_upload
from attnviz.ui.explorer import modes, whatif
from attnviz.ui.explorer.inputs import image_in_link, link_image
from attnviz.ui.explorer.sentences import general_examples
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.address import Address, notice, notice_error
from attnviz.ui.frame.choices import find, listed
from attnviz.ui.frame.language import current
from attnviz.ui.frame.page_file import offer
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.view import LOOK, follow

__all__ = ["ADDRESS", "begin", "examples_of", "publish", "start", "use"]


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it names and does not exist is noticed and falls back to the default."""
    name = link.get("model")
    model = None if name is None else find(name)
    if name is not None and model is None:
        _not_found(name)
        link = {}
    start(model or next(iter(listed().values()), None))
    if "text" in link:
        use(link["text"], link.get("target", ""))
    if "image" in link:
        link_image(link["image"])
    whatif.apply(link)
    modes.apply(link)
    page_state(ExplorerState).frozen = link.get("lock") == "all"
    follow(link, ExplorerState.model.value)


def _not_found(name: str) -> None:
    if name.startswith(HUB):
        notice_error(DownloadsOff(name, DOWNLOADS))
    else:
        notice("models.upload_gone" if is_upload(name) else "page.unknown_model", name=name)


def start(model: Listed | None) -> None:
    """Choose a model; its first example follows as soon as it is known what it reads, see `begin`."""
    if model is not None:
        ExplorerState.model.value = model.name
        whatif.forget()
        page_state(ExplorerState).is_new_model = True


def begin(model: Listed, reads: Reads) -> None:
    """Call it before the fields are placed: a model that was just chosen begins with its first example."""
    if page_state(ExplorerState).is_new_model:
        use(*next(iter(examples_of(model, reads)), ("", "")))


def use(text: str, target: str) -> None:
    """Put a text and a target into their fields."""
    ExplorerState.text.value, ExplorerState.target.value = text, target
    page_state(ExplorerState).is_new_model = False


def examples_of(model: Listed, reads: Reads) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a text and a target, or a second sentence, to begin with."""
    return model.examples if model.architecture else general_examples(reads, current())


_NAMES = frozenset({"mode", "model", "text", "target", "image", "edits"}).union(
    *(mode.names for mode in modes.MODES.values())
)

ADDRESS = Address(
    "explorer",
    _apply,
    names=_NAMES,
    steps=_NAMES,
    view=PLACE | LOOK,
    long=frozenset({"text", "target", "edits"}).union(*(mode.long for mode in modes.MODES.values())),
)


def publish(key: TraceKey, messages: DeltaGenerator) -> None:
    """Have the browser write into its address what was asked for; what is too long for it is offered as a file."""
    typed = {"text": key.text, "target": key.target, "image": image_in_link(key.image)}
    parameters = {"model": key.model, **typed, "edits": whatif.in_address(), **modes.parameters(key)}
    offer(messages, ADDRESS, parameters)
    ADDRESS.publish(parameters)
