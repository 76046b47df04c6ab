"""Say before Play what a fine-tuning trains and takes, and what may be wrong with its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from attnviz.finetuning.plan import Findings, Plan
from attnviz.locale import listed
from attnviz.tasks.base import SPLITS
from attnviz.ui.frame.language import code, current, say
from attnviz.ui.frame.numbers import duration

__all__ = ["say_plan", "short_method", "size", "usual"]

SHOWN = 6  # labels


def say_plan(plan: Plan) -> None:
    """Show what is trained, what that takes here, how the data are divided, and what was found in them."""
    model, found = plan.model, plan.findings
    st.caption(
        say(
            "tuning.facts",
            trained=f"{model.n_trained:,}",
            parameters=f"{model.n_parameters:,}",
            memory=size(plan.nbytes),
            time=duration(plan.seconds),
        )
    )
    sizes = {split: f"{found.sizes[split]:,}" for split in SPLITS}
    st.caption(say("tuning.sizes", **sizes, labels=_labels(found.labels)))
    if model.method == "head":
        st.info(say("tuning.head_only"))
    elif model.keeps:
        st.caption(say("tuning.keeps", n=model.keeps))
    notes = _notes(found)
    if notes:
        st.warning("\n\n".join(notes))


def usual(plan: Plan) -> dict[str, int | float]:
    """Return the numbers that a plan took where none were chosen, by the fields of `Tuning`."""
    training = plan.config.training
    return {"steps": training.steps, "rate": training.learning_rate, "length": vars(plan.task)["max_len"]}


def _notes(found: Findings) -> list[str]:
    cut = {split: n for split, n in found.cut.items() if n}
    where = listed(current(), [say(f"tuning.cut.{split}", n=f"{n:,}") for split, n in cut.items()])
    notes = {
        "repeated": found.repeated and say("tuning.found.repeated", n=f"{found.repeated:,}"),
        "shared": found.shared and say("tuning.found.shared", n=f"{found.shared:,}"),
        "near": found.near and say("tuning.found.near", n=f"{found.near:,}"),
        "unread": found.unread and say("tuning.found.unread", n=f"{found.unread:,}"),
        "contradictory": found.contradictory and say("tuning.found.contradictory", n=f"{found.contradictory:,}"),
        "cut": cut and say("tuning.found.cut", tokens=f"{found.longest:,}", where=where, lost=f"{found.lost:,}"),
        "unlearned": found.unlearned and say("tuning.found.unlearned", labels=_names(found.unlearned)),
        "alike": found.alike and say("tuning.found.alike", labels=_listed(_spelled(found.alike))),
        "numbers": found.numbers and say("tuning.found.numbers"),
    }
    return [str(note) for note in notes.values() if note]


def _labels(labels: Sequence[tuple[str, int]]) -> str:
    """Return the most frequent labels with their numbers."""
    return _listed([f"{code(name, 24)} {n:,}" for name, n in labels])


def _names(labels: Sequence[str]) -> str:
    return _listed([code(name, 24) for name in labels])


def _spelled(alike: Mapping[str, str]) -> list[str]:
    """Return labels that look alike, each with the code points that tell it apart."""
    return [f"{code(name, 24)} {told}".rstrip() for name, told in alike.items()]


def _listed(names: Sequence[str]) -> str:
    shown = listed(current(), names[:SHOWN])
    return shown if len(names) <= SHOWN else say("page.and_more", shown=shown, n=len(names) - SHOWN)


def short_method(method: object) -> str:
    """Return what is trained in few words, where several are compared."""
    name, _, n = str(method).partition(":")
    return say(f"tuning.short.{name}", n=n)


def size(nbytes: float) -> str:
    """Return a number of bytes to read."""
    return f"{max(1, nbytes / 2**20):,.0f} MiB" if nbytes < 2**30 else f"{nbytes / 2**30:,.1f} GiB"
