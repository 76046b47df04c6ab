"""The view as a widget of a notebook: what is chosen in the browser arrives in Python, and the other way round.

anywidget carries it to Jupyter, VS Code, Colab and marimo. The browser holds the page of `attnviz.view.page` in a frame
(`static/export/widget.js`), asks for numbers when somebody looks, and for edits when the menu of What if is used
(`static/export/live.js`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl

import anywidget
import traitlets

from attnviz import locale
from attnviz.analysis.patching import with_pairs
from attnviz.background import Background
from attnviz.edits import read_edits
from attnviz.edits.text import PART
from attnviz.errors import AttnvizError, NoSuchHead, NoSuchPosition
from attnviz.trace import AttentionSite, Edit, Trace
from attnviz.trace.edit import no_site
from attnviz.tracing import trace as take_trace
from attnviz.view import STATIC
from attnviz.view.chips import Chips, after, chips_of, in_force, removed, turned
from attnviz.view.chips import told as chips_told
from attnviz.view.computed import computation
from attnviz.view.page import check_language, page, title_of
from attnviz.view.payload import bundle, choice_of, overview, proof, second_of
from attnviz.view.texts import texts_of_trace
from attnviz.view.what_if import UNDO, told

__all__ = ["TraceWidget"]

IN_PAGE = dict.fromkeys(("logits", "plane", "why"), "page")  # parts of the view; see `static/export/live.js`


class TraceWidget(anywidget.AnyWidget):
    """A view of a trace in a notebook, from `attnviz.show`. Its traits can be read, set and observed.

    Attributes:
        site: name of the chosen site.
        head: the chosen head.
        query, key: positions of the locked query and key; None: nothing is locked there.
        locked: a query or a key is locked.
        edits: changes of the forward pass, from `attnviz.edits` or as text (`attnviz.edits.text`); setting them runs
            the model again.

    Example:
        >>> import attnviz
        >>> from attnviz import edits
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> view = attnviz.show(trace)
        >>> view.site, view.head
        ('encoder.0.self', 0)
        >>> view.edits = [edits.head_off("encoder.1.self", head=0)]
        >>> view.trace.edits[0].site
        'encoder.1.self'
    """

    _esm = (STATIC / "export/widget.js").read_text("utf-8")
    _page = traitlets.Unicode().tag(sync=True)
    _title = traitlets.Unicode().tag(sync=True)
    _height = traitlets.Int().tag(sync=True)
    _picture = traitlets.Bytes().tag(sync=True)

    site = traitlets.Unicode().tag(sync=True)
    head = traitlets.Int().tag(sync=True)
    query = traitlets.Int(None, allow_none=True).tag(sync=True)
    key = traitlets.Int(None, allow_none=True).tag(sync=True)
    locked = traitlets.Bool(False).tag(sync=True)
    edits = traitlets.Any(())

    def __init__(
        self,
        trace: Trace,
        chosen: tuple[AttentionSite, int],
        *,
        lang: str,
        title: str | None,
        height: int,
        beside: Trace | None = None,
    ) -> None:
        check_language(lang)
        self._trace, self._given_beside, self._lang = trace, beside, lang
        self._held: dict[str, Trace] = {}  # traces that the browser may ask of, by id
        self._count = 0
        self._chips = chips_of(trace.edits)
        self._undone: list[Chips] = []  # the chips before each change
        # of a kernel that somebody has alone
        self._sweeps, self._explanations = (Background(seconds=math.inf, gives_way=0) for _ in range(2))
        site, head = chosen
        super().__init__(
            _page=page(trace, lang, title, "", "export/live.js", {"texts": texts_of_trace(lang)}, {}),
            _title=title_of(trace, lang, title),
            _height=height,
            site=site.name,
            head=head,
            edits=trace.edits,
        )
        self._draw()
        self.on_msg(self._answer)

    @property
    def trace(self) -> Trace:
        """The trace that is shown, with the edits."""
        return self._trace

    @property
    def beside(self) -> Trace | None:
        """The trace that is shown beside it: the one given to `attnviz.show`, else the one before the edits, if any."""
        return self._given_beside or (self._plain if self._trace.edits else None)

    @cached_property
    def _plain(self) -> Trace:
        return self._trace.with_edits([]) if self._trace.edits else self._trace

    def _site(self, name: str) -> AttentionSite:
        found = next((site for site in self._trace.sites if site.name == name), None)
        if found is None:
            raise no_site(name, self._trace.sites, self._trace.model.facts.name)
        return found

    @traitlets.validate("site")
    def _check_site(self, proposal: Mapping[str, Any]) -> str:
        self._site(proposal["value"])
        return str(proposal["value"])

    @traitlets.validate("head")
    def _check_head(self, proposal: Mapping[str, Any]) -> int:
        site, head = self._site(self.site), int(proposal["value"])
        if not 0 <= head < site.n_heads:
            raise NoSuchHead(site.name, head, site.n_heads - 1)
        return head

    @traitlets.validate("query", "key")
    def _check_position(self, proposal: Mapping[str, Any]) -> int | None:
        site, position = self._site(self.site), proposal["value"]
        last = (site.q if proposal["trait"].name == "query" else site.k).shape[1] - 1
        if position is not None and not 0 <= position <= last:
            raise NoSuchPosition(site.name, position, last)
        return None if position is None else int(position)

    @traitlets.observe("site")
    def _fit(self, change: Mapping[str, Any]) -> None:
        """Hold head and lock within another site."""
        site = self._site(self.site)
        self.head = min(self.head, site.n_heads - 1)
        if any(at is not None and at >= n for at, n in ((self.query, site.q.shape[1]), (self.key, site.k.shape[1]))):
            self.set_trait("locked", False)
            self.query = self.key = None

    @traitlets.observe("query", "key")
    def _lock(self, change: Mapping[str, Any]) -> None:
        self.locked = self.query is not None or self.key is not None

    @traitlets.observe("locked")
    def _unlock(self, change: Mapping[str, Any]) -> None:
        if not self.locked:
            self.query = self.key = None

    @traitlets.validate("edits")
    def _run(self, proposal: Mapping[str, Any]) -> tuple[Edit, ...]:
        """Run the model with other edits; where it refuses them, those before stay."""
        given = proposal["value"]
        edits = tuple(read_edits(given, self._source) if isinstance(given, str) else given)
        if edits != self._trace.edits:
            self._trace = self._plain.with_edits(edits) if edits else self._plain
        return edits

    @traitlets.observe("edits")
    def _redraw(self, change: Mapping[str, Any]) -> None:
        if change["new"] == in_force(self._chips):  # the widget begins, or `_change` sets them
            return
        chips = after(self._chips, change["new"])
        if self._undone and in_force(self._undone[-1]) == change["new"]:
            chips = self._undone.pop()  # the last change is undone
        else:
            self._undone.append(self._chips)
        self._chips = chips
        self._draw()

    def _change(self, chips: Chips, undone: list[Chips]) -> None:
        """Set the edits that are in force among chips; where the model refuses them, all stays."""
        before = self._chips, self._undone
        self._chips, self._undone = chips, undone
        try:
            self.edits = in_force(chips)
        except BaseException:
            self._chips, self._undone = before
            raise
        self._draw()

    def _source(self, text: str, target: str) -> Trace:
        return take_trace(cast(Any, self._trace.model), text, target or None)

    def _edit(self, asked: str) -> None:
        """Do what the menu asks for: more edits, or the last change undone."""
        if asked != UNDO:
            parts = (with_pairs(part, self._plain, self._source) for part in asked.split(PART))
            self.edits = (*self.edits, *read_edits(PART.join(parts), self._source))
        elif self._undone:
            self._change(self._undone[-1], self._undone[:-1])

    def _turn(self, at: int, is_removed: bool) -> None:
        """Switch a chip off, or on again, or take it away."""
        self._change((removed if is_removed else turned)(self._chips, at), [*self._undone, self._chips])

    def _computed(self, name: str, asked: str) -> dict[str, Any]:
        """Answer how far a computation is that a question asks for, or what it found; see `attnviz.view.computed`."""
        what, _, query = asked.partition("?")
        given = dict(parse_qsl(query))
        who, stop = given.pop("who"), given.pop("stop", None)
        compute = computation(self._held[name], what, given, self._lang)
        jobs = self._sweeps if what == "sweep" else self._explanations  # these do not wait for the long ones
        key = (what, name, *sorted(given.items()))
        if stop:
            jobs.leave(key, who)
            return {}
        try:
            return jobs.told(key, who, compute)
        except AttnvizError as error:
            return {"failed": locale.told(self._lang, error.code, error.details)}

    def _offered(self) -> dict[str, Any] | None:
        """Return what the menu offers; None where the model cannot be run again."""
        if not hasattr(self._trace.forward_pass, "under"):
            return None
        chips = chips_told(self._chips, self._plain, self._lang)
        undo = {"undo": True, "back": {"edits": UNDO, "why": ""}} if self._undone else {}
        return {**told(self._plain, self._lang), "chips": chips, **undo}

    def _draw(self) -> None:
        """Hand the browser the first picture of the trace, and of the one beside it."""
        before, self._held, beside = self._held, {}, self.beside
        own = self._named(self._trace, before)
        second = None
        if beside is not None:
            choice = choice_of(beside, beside.sites[0], 0)
            other = overview(
                beside, trace_id=self._named(beside, before), choice=choice, lang=self._lang, later=IN_PAGE
            )
            second = second_of(self._trace, beside, other)
        place = {"query": self.query, "key": self.key, "locked": self.locked}
        choice = {**choice_of(self._trace, self._site(self.site), self.head), **place}
        self._picture = overview(
            self._trace,
            trace_id=own,
            choice=choice,
            lang=self._lang,
            second=second,
            what_if=self._offered(),
            later=IN_PAGE,
        )

    def _named(self, trace: Trace, before: Mapping[str, Trace]) -> str:
        """Return the id of a trace that is shown: the same as before, or one that was never used."""
        known = next((name for name, held in before.items() if held is trace), None)
        self._count += known is None
        name = known or str(self._count)
        self._held[name] = trace
        return name

    def _answer(self, _: object, content: Mapping[str, Any], buffers: object) -> None:
        """Answer a question of the browser."""
        if "ask" not in content:
            return
        answer: dict[str, Any] = {"id": content["id"]}
        parts: list[bytes] = []
        try:
            if content["ask"] == "edit":
                self._edit(content["edit"])
            elif content["ask"] == "chip":
                self._turn(content["at"], content["remove"])
            elif content["ask"] == "bundle":
                parts.append(bundle(self._held[content["trace"]], content["site"], content["heads"], content["stages"]))
            elif content["ask"] == "proof":
                answer["answer"] = proof(self._held[content["trace"]])
            else:
                answer["answer"] = self._computed(content["trace"], content["ask"])
        except AttnvizError as error:
            answer["error"] = locale.told(self._lang, error.code, error.details)
        except (LookupError, ValueError) as error:
            answer["error"] = str(error)
        self.send(answer, parts)
