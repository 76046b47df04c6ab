"""A model's answer: as lines for a terminal, as plain values for JSON."""

from __future__ import annotations

from typing import Any

from attnviz.analysis.answer_span import answer_span
from attnviz.cli.text import printable, shown
from attnviz.trace import Outputs, Trace

__all__ = ["answer_lines", "answer_values"]

BEST = 5  # outputs that are told of one place
TITLES = {"next": "Next token", "label": "Label", "masked": "Hidden token", "span": "Answer"}


def answer_values(trace: Trace) -> dict[str, Any] | None:
    """Return the answer for JSON; None where the model has no outputs that attnviz knows.

    Returns:
        kind: see `Outputs.kind`.
        values: numbers a row, of a model that says values.
        places: of other models, for each place that matters its position, its token and the most probable outputs,
            each with its id and its probability. The position and the token of a label of the whole are None.
        span: of an answer that is a span of the text, its tokens, the positions of the first and the last, its
            probability, and that of no answer (None where the model cannot say so).

    Example:
        >>> import attnviz
        >>> values = answer_values(attnviz.trace(attnviz.load_model("zoo/sort"), "c a b >"))
        >>> values["kind"], values["places"][0]["best"][0]["output"]
        ('next', 'a')
    """
    outputs = trace.outputs
    if outputs is None:
        return None
    if outputs.kind == "values":
        return {"kind": outputs.kind, "values": trace.logits.tolist()}
    ids, probabilities = (tensor.tolist() for tensor in trace.top_outputs(BEST))
    sequence = trace.sequences[outputs.sequence]
    tokens = None if outputs.kind == "label" else sequence.labels
    span = answer_span(trace)
    spanned: dict[str, Any] = {}
    if span is not None:
        spanned["span"] = {
            "tokens": list(trace.tokens[span.begin : span.end + 1]),
            "begin": span.begin,
            "end": span.end,
            "probability": span.probability,
            "none": span.none,
        }
    return spanned | {
        "kind": outputs.kind,
        "places": [
            {
                "position": None if tokens is None else row,
                "token": None if tokens is None else tokens[row],
                "best": [
                    {"output": outputs.label(index), "id": index, "probability": probability}
                    for index, probability in zip(ids[row], probabilities[row], strict=True)
                ],
            }
            for row in outputs.rows_that_matter(len(ids), sequence.specials)
        ],
    }


def answer_lines(trace: Trace) -> list[str]:
    """The answer as text: a line for each place that matters, or one line where all tokens of the text have outputs."""
    answer = answer_values(trace)
    if answer is None:
        return []
    if answer["kind"] == "values":
        return [f"Output: {' '.join(f'{value:.3g}' for row in answer['values'] for value in row)}"]
    places = answer["places"]
    if answer["kind"] in ("same", "labels"):
        return [f"Output: {' '.join(_shown(place['best'][0]) for place in places)}"]
    lines = [_line(trace.outputs, place) for place in places]
    if "span" in answer:
        lines.insert(0, _span_line(answer["span"]))
    return lines


def _line(outputs: Outputs | None, place: dict[str, Any]) -> str:
    assert outputs is not None
    where = {"masked": f" (at {place['position']})", "span": f" {place['token']}"}.get(outputs.kind, "")
    best = ", ".join(f"{_shown(each)} {_percent(each['probability'])}" for each in place["best"])
    return f"{TITLES[outputs.kind]}{where}: {best}"


def _span_line(span: dict[str, Any]) -> str:
    """Return the answer's tokens with their probability, and with that of no answer where the model has one."""
    none = "" if span["none"] is None else f"; no answer {_percent(span['none'])}"
    words = " ".join(printable(shown(token)) for token in span["tokens"])
    return f"Answer: {words} {_percent(span['probability'])}{none}"


def _shown(best: dict[str, Any]) -> str:
    return printable(shown(best["output"]))


def _percent(probability: float) -> str:
    if 0 < probability < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= probability < 1 else f"{100 * probability:.1f}%"
