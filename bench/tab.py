"""A tab of a browser without the browser: the page over Streamlit's web socket, the numbers over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PATIENCE = 60.0  # seconds for one answer
DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
AGAIN = ForwardMsg.FINISHED_EARLY_FOR_RERUN
NUMBERS = "q,k,v,scores,masked,weights,context"


class PageFailed(RuntimeError):
    """The page said that something went wrong, or the server answered with an error."""


class Tab:
    """A page that somebody has open; made by `open_tab`.

    Attributes:
        models: titles in the list of models, in its order.
        header: of the picture that it shows, see `attnviz.view.payload`; None before the first one.
        pictures: how many came so far.
    """

    def __init__(self, http: Http, socket: websockets.ClientConnection, query: str) -> None:
        self.http, self.query = http, query
        self.models: list[str] = []
        self.header: dict[str, Any] | None = None
        self.pictures = 0
        self._socket = socket
        self._ids: dict[str, str] = {}  # of the fields, by the kind of their element
        self._fragments: dict[str, str] = {}  # that they belong to, "" for the whole page
        self._values: dict[str, str] = {}  # what stands in them, by their ids

    async def run(self, kind: str = "", value: str = "") -> None:
        """Have the page run, after somebody changed a field ("text_area", "selectbox"), until it is whole."""
        if kind:
            self._values[self._ids[kind]] = value
        message = BackMsg()
        asked = message.rerun_script
        asked.fragment_id = self._fragments.get(kind, "")
        asked.query_string = self.query
        asked.context_info.timezone, asked.context_info.locale = "Europe/Paris", "en-US"
        asked.context_info.url = f"{self.http.address}/"
        for field, text in self._values.items():
            asked.widget_states.widgets.add(id=field, string_value=text)
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while not self._take(await self._socket.recv(decode=False)):
                pass

    def _take(self, content: bytes) -> bool:
        """Take a message; whether the page is whole with it."""
        answer = ForwardMsg.FromString(content)
        kind = answer.WhichOneof("type")
        if kind == "delta":
            self._place(answer.delta.new_element, answer.delta.fragment_id)
        if kind == "script_finished" and answer.script_finished not in (*DONE, AGAIN):
            raise PageFailed(ForwardMsg.ScriptFinishedStatus.Name(answer.script_finished))
        return kind == "script_finished" and answer.script_finished in DONE

    def _place(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception" or (kind == "alert" and element.alert.format == element.alert.ERROR):
            raise PageFailed(f"{element.exception.message}{element.alert.body}")
        if kind == "text_area" and kind not in self._ids:
            self._known(kind, fragment, element.text_area, element.text_area.default)
        if kind == "text_area" and element.text_area.set_value:
            self._known(kind, fragment, element.text_area, element.text_area.value)
        if kind == "selectbox" and not self.models:
            self.models = list(element.selectbox.options)
            self._known(kind, fragment, element.selectbox, self.models[element.selectbox.default])
        if kind == "bidi_component" and element.bidi_component.bytes:
            content = element.bidi_component.bytes
            self.header = json.loads(content[8 : 8 + int.from_bytes(content[4:8], "little")])
            self.pictures += 1

    def _known(self, kind: str, fragment: str, field: Any, value: str) -> None:
        self._ids[kind], self._fragments[kind] = field.id, fragment
        self._values[field.id] = value

    async def numbers(self, site: int, heads: list[int], stages: str, ahead: bool = False) -> None:
        """Fetch numbers of the picture, as its view does; `ahead`: nobody waits for them yet."""
        assert self.header is not None
        asked = {"site": self.header["sites"][site]["name"], "heads": ",".join(map(str, heads)), "stages": stages}
        asked |= {"ahead": "1"} if ahead else {}
        await self.http.get(f"/{self.header['data_url']}/bundle?{urlencode(asked)}")

    async def layer(self, site: int, head: int) -> None:
        """Fetch what the view does of the layer of a head that is looked at, so that its other heads are there."""
        assert self.header is not None
        heads = list(range(self.header["sites"][site]["n_heads"]))
        await self.numbers(site, [head], "x", ahead=True)
        await self.numbers(site, heads, f"{NUMBERS},output", ahead=True)


class Http:
    """A connection that is kept for one request after the other, with the cookies that the server sets."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}
        self._place = urlsplit(address)
        self._lock = asyncio.Lock()
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def cookie(self) -> str:
        """The header of that name."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def get(self, path: str) -> bytes:
        """Return what the server answers.

        Raises:
            PageFailed: with an error.
        """
        async with self._lock, asyncio.timeout(PATIENCE):
            try:
                first, content = await self._asked(path)
            except (asyncio.IncompleteReadError, ConnectionError):  # the server hung up meanwhile: browsers call again
                self.close()
                first, content = await self._asked(path)
        if int(first.split()[1]) >= 400:
            raise PageFailed(f"{first} {path[:200]}")
        return content

    async def _asked(self, path: str) -> tuple[str, bytes]:
        if self._ends is None:
            self._ends = await asyncio.open_connection(self._place.hostname, self._place.port)
        reader, writer = self._ends
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._place.netloc}", f"Cookie: {self.cookie}", "", ""]
        writer.write("\r\n".join(lines).encode())
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = [line.split(": ", 1) for line in rest if ": " in line]
        self.cookies |= dict(_cookie(value) for name, value in headers if name.lower() == "set-cookie")
        length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
        return first, await reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None


def _cookie(value: str) -> tuple[str, str]:
    name, _, content = value.partition(";")[0].partition("=")
    return name, content


@asynccontextmanager
async def open_tab(address: str, **parameters: str) -> AsyncIterator[Tab]:
    """Open the Explorer in a new browser: its document, its first picture, and its page until it is whole."""
    query = urlencode(parameters, quote_via=quote)
    http = Http(address)
    try:
        await http.get(f"/?{query}")
        await http.get(f"/attnviz/first?{query}")
        async with websockets.connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit")],
            origin=websockets.Origin(address),
            additional_headers={"Cookie": http.cookie},
            max_size=None,
        ) as socket:
            tab = Tab(http, socket, query)
            await tab.run()
            yield tab
    finally:
        http.close()
