"""A trace as the Python that makes it again, edits included: what a page shows "as code"."""

from __future__ import annotations

import json
from collections.abc import Sequence

from torch import Tensor

from attnviz.edits import edit as made
from attnviz.trace import Edit, Trace
from attnviz.trace.edit import NoPositions
from attnviz.trace.site import SiteEdit
from attnviz.writing import Plan, Written

__all__ = ["HEAD", "LOCKS", "code_of", "edit_code"]

HEAD = """site = trace.site("{site}")
weights = site.weights({head})  # (queries, keys)
context = site.context({head})  # (queries, d_value)"""
LOCKS = {
    "pair": "print(weights[{query}, {key}])",
    "query": "print(weights[{query}])",
    "key": "print(weights[:, {key}])",
    "none": "print(weights)",
}
"""Lines that follow those of `code_of`, with names in braces to be filled in: of a head, and of what is locked."""

MOST_CELLS = 1024  # of a matrix of weights that is written out


def code_of(trace: Trace, name: str = "") -> str:
    """Return the lines that end with `trace`.

    Args:
        name: name by which `attnviz.load_model` knows the model; by default the one that the model itself has.

    Example:
        >>> import attnviz
        >>> from attnviz import edits
        >>> model = attnviz.load_model("zoo/reverse")
        >>> print(code_of(attnviz.trace(model, "c b a", edits=[edits.cut("encoder.0.self", key=2)]), "zoo/reverse"))
        import attnviz
        from attnviz import edits
        <BLANKLINE>
        model = attnviz.load_model("zoo/reverse")
        changes = [
            edits.cut("encoder.0.self", key=2),
        ]
        trace = attnviz.trace(model, "c b a", edits=changes)
        >>> print(code_of(attnviz.write(attnviz.load_model("zoo/sort"), "b a >", top_k=2, seed=1)).splitlines()[-1])
        trace = attnviz.write(model, "b a >", top_k=2, seed=1)
    """
    sources = _sources(trace.edits)
    lines = ["import attnviz", *(["from attnviz import edits"] if trace.edits else []), ""]
    lines.append(f"model = attnviz.load_model({_literal(name or trace.model.facts.name)})")
    for at, source in enumerate(sources):
        lines.append(f"source{at} = attnviz.trace(model, {_texts(source.text, source.target)})")
    if trace.edits:
        lines += ["changes = [", *(f"    {edit_code(edit, sources)}," for edit in trace.edits), "]"]
    target = "" if trace.target_generated else trace.target or ""  # the model writes the same again
    if isinstance(trace, Written) and target:
        target = trace.prompt  # what follows is what it wrote
    given = [_texts(trace.text, target), *(['image="image.png"'] if trace.image is not None and trace.text else [])]
    given += _settings(trace.plan) if isinstance(trace, Written) else []
    given += ["edits=changes"] if trace.edits else []
    call = "write" if isinstance(trace, Written) else "trace"
    lines.append(f"trace = attnviz.{call}(model, {', '.join(given)})")
    return "\n".join(lines)


def _settings(plan: Plan) -> list[str]:
    """Return a plan as the arguments of `attnviz.write`, without those that are as by default."""
    names = {"sample": ("temperature", "top_k", "top_p", "seed"), "beam": ("beams",)}.get(plan.strategy, ())
    always = {"temperature", "beams"} - (
        {"temperature"} if plan.top_k or plan.top_p else set()
    )  # they say how it writes
    default, found = Plan(), []
    for name in (*names, "max_new", "taken", "template"):
        value = getattr(plan, name)
        if name in always or value != getattr(default, name):
            found.append(f"{name}={[*value] if name == 'taken' else value!r}")
    return found


def edit_code(edit: Edit, sources: Sequence[made.Source] = ()) -> str:
    """Return the call that makes an edit; `sources` are the texts that patches come from: `source0`, `source1` ..."""
    match edit:
        case made.HeadOff():
            return _call(
                "head_off", edit, *([f"baseline={_literal(edit.baseline)}"] if edit.baseline != "zero" else [])
            )
        case made.Cut():
            places = [f"{name}={at}" for name, at in (("query", edit.query), ("key", edit.key)) if at is not None]
            return _call("cut", edit, *places, all_heads="")
        case made.Temperature():
            return _call("temperature", edit, f"value={edit.value!r}")
        case made.SetWeights():
            return _call("set_weights", edit, f"weights={_weights(edit.weights)}")
        case made.ScaleHead():
            return _call("scale_head", edit, f"factor={edit.factor!r}")
        case made.Patch():
            return _call("patch", edit, *_patched(edit.positions, edit.source, sources))
        case made.PatchStream():
            given = [
                f"layer={edit.layer}",
                *_patched(edit.positions, edit.source, sources),
                f"stack={_literal(edit.stack)}",
            ]
            return f"edits.patch_stream({', '.join(given)})"
        case made.NoMask():
            return _call("no_mask", edit, all_heads="")
        case made.NoScale():
            return _call("no_scale", edit, all_heads="")
        case NoPositions():
            return "edits.no_positions()"
    return f"...  # {type(edit).__name__}"


def _call(name: str, edit: SiteEdit, *given: str, all_heads: str = "head=None") -> str:
    head = all_heads if edit.head is None else f"head={edit.head}"
    return f"edits.{name}({', '.join(filter(None, (_literal(edit.site), head, *given)))})"


def _sources(edits: Sequence[Edit]) -> list[made.Source]:
    """Return the texts that patches come from, each once."""
    patches = [edit.source for edit in edits if isinstance(edit, made.Patch | made.PatchStream)]
    return list({(source.text, source.target): source for source in patches if source is not None}.values())


def _patched(positions: Sequence[int], source: made.Source | None, sources: Sequence[made.Source]) -> list[str]:
    names = [(known.text, known.target) for known in sources]
    name = "..." if source is None else f"source{names.index((source.text, source.target))}"
    there = () if source is None or source.positions == tuple(positions) else source.positions
    return [f"positions={[*positions]}", f"source={name}", *([f"source_positions={[*there]}"] if there else [])]


def _weights(weights: str | Tensor) -> str:
    if isinstance(weights, str):
        return _literal(weights)
    return str(weights.tolist()) if weights.numel() <= MOST_CELLS else "..."


def _texts(text: str, target: str) -> str:
    return ", ".join(map(_literal, filter(None, (text, target)))) or '"image.png"'


def _literal(text: str) -> str:
    """Return a text as Python has it, in double quotes."""
    return json.dumps(text, ensure_ascii=False)
