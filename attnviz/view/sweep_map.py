"""A sweep as a map of the heads above the view of its trace: each cell has its number and opens its head."""

from __future__ import annotations

import html
from urllib.parse import urlencode

from attnviz import locale
from attnviz.edits import Sweep
from attnviz.trace import AttentionSite

__all__ = ["first_missed", "sweep_map"]

LEAST = 0.001  # a change of the probability that has full colour: smaller ones are not to be seen in the numbers


def first_missed(sweep: Sweep) -> tuple[str, int]:
    """Return the head whose edit costs the answer most: the name of its site, and its index."""
    losses = sweep.loss.nan_to_num(nan=float("-inf"))
    at, head = divmod(int(losses.argmax()), losses.shape[1])
    return _site(sweep, sweep.sites[at]).name, head


def sweep_map(sweep: Sweep, lang: str) -> str:
    """Return the map as an HTML table: a row for each site, stronger colour for a larger change of the probability."""
    before = float(sweep.before.probability)
    changes = (sweep.probability - before).abs()
    most = max(float(changes.nan_to_num().max()), LEAST)
    heads = range(sweep.loss.shape[1])
    columns = "".join(f'<th scope="col">{_say(lang, "view.frame.grid.head", head=n)}</th>' for n in heads)
    rows = "".join(
        f'<tr><th scope="row">{_row(sweep, name, lang)}</th>{"".join(_cell(sweep, at, h, most) for h in heads)}</tr>'
        for at, name in enumerate(sweep.sites)
    )
    token = locale.visible(sweep.token)
    told = _say(lang, "standalone.sweep", token=token, position=sweep.position, before=f"{before:.3f}")
    return f'<p>{told}</p><table class="page-sweep"><tr><td></td>{columns}</tr>{rows}</table>'


def _cell(sweep: Sweep, at: int, head: int, most: float) -> str:
    after = float(sweep.probability[at, head])
    if after != after:  # this site has no such head
        return "<td></td>"
    site = _site(sweep, sweep.sites[at])
    part = {} if site.part is None else {"part": site.part}
    link = urlencode({"layer": site.layer, "stack": site.stack, "kind": site.kind, **part, "head": head})
    share = round(100 * abs(after - float(sweep.before.probability)) / most)
    return f'<td style="--share: {share}%"><a href="#{html.escape(link)}">{after:.3f}</a></td>'


def _row(sweep: Sweep, name: str, lang: str) -> str:
    """Return the title of a row: its stack and layer."""
    site = _site(sweep, name)
    stack = _say(lang, f"view.frame.stack.{site.stack}.{site.kind}")
    return f"{stack} · {_say(lang, 'view.frame.grid.layer', layer=site.layer)}"


def _site(sweep: Sweep, name: str) -> AttentionSite:
    """Return a site; of a layer that attends in windows, the first one."""
    return next(site for site in sweep.trace.sites if site.name.partition(".w")[0] == name)


def _say(lang: str, key: str, **params: object) -> str:
    return html.escape(locale.t(lang, key, **params))
