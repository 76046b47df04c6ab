"""A model's answer: as lines for a terminal, as plain values for JSON."""

from __future__ import annotations

from typing import Any

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
    return {
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
    return [_line(trace.outputs, place) for place in places]


def _line(outputs: Outputs | None, place: dict[str, Any]) -> str:
    assert outputs is not None
    where = {"masked": f" (at {place['position']})", "span": f" {place['token']}"}.get(outputs.kind, "")
    best = ", ".join(f"{_shown(each)} {_percent(each['probability'])}" for each in place["best"])
    return f"{TITLES[outputs.kind]}{where}: {best}"


def _shown(best: dict[str, Any]) -> str:
    return printable(shown(best["output"]))


def _percent(probability: float) -> str:
    if 0 < probability < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= probability < 1 else f"{100 * probability:.1f}%"
