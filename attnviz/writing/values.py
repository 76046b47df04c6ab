"""A written text as plain values, for JSON and for a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnviz.writing.written import Step, Written

__all__ = ["values_of"]


def values_of(written: Written) -> Mapping[str, Any]:
    """Return all that is known of a written text as plain values."""
    ends = [beam.score for beams in written.beams for beam in beams if beam.ended]
    return {
        "model": written.model.facts.name,
        "text": written.text,
        "prompt": written.prompt,
        "continuation": written.continuation,
        "plan": written.plan.text,
        "ended": written.ended,
        "edits": [str(edit) for edit in written.edits],
        "score": max(ends, default=None),
        "steps": [_step(written, step) for step in written.steps],
        "beams": [
            [{**beam._asdict(), "label": written.label(beam.token)} for beam in beams] for beams in written.beams
        ],
        "path": list(written.path),
    }


def _step(written: Written, step: Step) -> Mapping[str, Any]:
    return {
        "token": written.label(step.token),
        "id": step.token,
        "choice": step.choice,
        "number": step.number,
        "kept": dict(zip(step.stages, step.kept, strict=True)),
        "candidates": [
            {
                "token": written.label(one.token),
                "id": one.token,
                "probabilities": dict(zip(step.stages, one.probabilities, strict=True)),
            }
            for one in step.candidates
        ],
    }
