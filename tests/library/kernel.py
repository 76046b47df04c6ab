"""A widget's comm without a kernel: what Python sends is kept, and what the browser says is handed in."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm
from ipywidgets.widgets.widget import _put_buffers, _remove_buffers

from attnviz.view.widget import TraceWidget

__all__ = ["Kernel"]


class _Comm(BaseComm):
    """Keeps all that is published, buffers back in their places."""

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        self.__dict__.setdefault("published", []).append((data, [bytes(buffer) for buffer in buffers or []]))


class Kernel:
    """Opens widgets whose messages can be read, and says what a browser says."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(comm, "create_comm", _Comm)

    def say(self, widget: TraceWidget, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Hand a message of the browser to a widget; return what Python sends meanwhile."""
        sent = widget.comm.__dict__["published"]
        sent.clear()
        state, places, buffers = _remove_buffers(data.get("state", {}))
        data = {**data, "state": state, "buffer_paths": places}
        widget.comm.handle_msg({"content": {"data": data}, "buffers": buffers, "metadata": {}})
        return self.heard(widget)

    def heard(self, widget: TraceWidget) -> list[dict[str, Any]]:
        """Return what Python has sent since it was last asked, and forget it."""
        sent = widget.comm.__dict__["published"]
        told = [_told(data, buffers) for data, buffers in sent]
        sent.clear()
        return [one for one in told if one["method"] in ("update", "custom")]


def _told(data: dict[str, Any], buffers: list[bytes]) -> dict[str, Any]:
    if data.get("method") == "custom":
        return {"method": "custom", "content": data["content"], "buffers": buffers}
    state = dict(data.get("state", {}))
    _put_buffers(state, data.get("buffer_paths", []), buffers)
    return {"method": data.get("method", "open"), "state": state}


def as_json(value: Any) -> Any:
    """The same for a browser: bytes in base 64."""
    if isinstance(value, bytes | memoryview):
        return {"base64": b64encode(bytes(value)).decode()}
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list | tuple) else value
