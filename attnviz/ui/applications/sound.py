"""Sound: what is heard, how it looks as a spectrogram, and when the answer was listened to."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, cast

import streamlit as st
import torch
from torch import Generator, Tensor

from attnviz.errors import AttnvizError
from attnviz.figures.sound import spectrogram
from attnviz.locale import visible
from attnviz.tasks import Sound, Task
from attnviz.tasks.signals.sound import SAMPLES, Clip
from attnviz.tasks.signals.voice import HOP, LONGEST, RATE, WINDOW, band_filters, loudest, read_wav, wav_bytes
from attnviz.ui.applications.answer import answer
from attnviz.ui.applications.case import N_EXAMPLES, SEED, Case, choose_head, choose_query, examples
from attnviz.ui.applications.state import ApplicationsState
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.charts import PICTURE, theme
from attnviz.ui.frame.files import choose_file
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import Widget

__all__ = ["enter", "view"]

BEEP = "beep"
MOST_MB = 4
RECORDING = Widget[Any]("app-recording", None)


def view(case: Case) -> None:
    """Show the sound to listen to, the answer, the spectrogram, and the frames that one head reads."""
    task = cast(Sound, case.task)
    clip = _clip(case, task)
    _listen(case, clip)
    answer(case)
    frames = task.tokenizer.features(case.trace.text)[1:]  # without <bos>
    weights = _read(case, clip)
    seconds = (torch.arange(len(frames)) * HOP + WINDOW / 2) / RATE
    hertz = band_filters(task.bands).argmax(1) * RATE / WINDOW
    parts = () if clip is None else clip.parts
    on_frames = None if weights is None else weights[-len(frames) :]
    figure = spectrogram(frames, seconds, hertz, parts, BEEP, on_frames, theme(), current())
    st.plotly_chart(figure, key="sound", **PICTURE)
    if weights is None:
        st.info(say("applications.no_attention"))
    elif clip is not None:
        _shares(weights[-len(frames) :], clip)


def enter(task: Task) -> bool:
    """Record a sound, or take a file."""
    assert isinstance(task, Sound)
    recorded = partial(_recorded, task)
    with st.container(horizontal=True, key="app-sound", gap="small", vertical_alignment="bottom"):
        st.audio_input(say("applications.sound.record"), key=RECORDING.key, on_change=recorded, width=260)
        with st.popover(say("applications.sound.own"), icon=":material/upload:"):
            choose_file(say("applications.sound.take"), ["wav"], "app-sound-file", MOST_MB, partial(_take, task))
    return True


def _recorded(task: Sound) -> None:
    """Replace the model's input by the loudest part of a recording."""
    if RECORDING.value is None:
        return
    try:
        waveform = read_wav(RECORDING.value.getvalue(), (WINDOW / RATE, LONGEST))
        _take(task, wav_bytes(loudest(waveform, SAMPLES)), "")
    except AttnvizError as error:
        notice_error(error)


def _clip(case: Case, task: Sound) -> Clip | None:
    """Return the sound behind an example; None for one of somebody's own."""
    found = (n for n, row in enumerate(examples(task)) if row is case.row)
    place = next(found, None)
    return None if place is None else _clips(task)[place]


@lru_cache(8)
def _clips(task: Sound) -> tuple[Clip, ...]:
    """Draw the sounds of all examples; the same generator gives the same ones."""
    return task.clips(N_EXAMPLES, Generator().manual_seed(SEED), "test")


def _listen(case: Case, clip: Clip | None) -> None:
    """Show the sound, as far as there is one: frames that were typed cannot be heard."""
    text, file = page_state(ApplicationsState).sound
    if clip is not None or text == case.trace.text:
        st.audio(file if clip is None else wav_bytes(clip.waveform), format="audio/wav", width=320)
    else:
        st.caption(say("applications.sound.silent"))


def _take(task: Sound, content: bytes, name: str) -> None:
    """Replace the model's input by an uploaded sound."""
    text = task.text(task.read(content))
    state = page_state(ApplicationsState)
    state.text.value, state.sound = text, (text, content)
    state.leave_input()


def _read(case: Case, clip: Clip | None) -> Tensor | None:
    """Controls for a head and for what asks; its weights on all tokens, (T,)."""
    if not case.trace.sites:
        return None
    with st.container(horizontal=True, key="app-reading", gap="small"):
        site, head = choose_head(case)
        row = 0
        if site.queries != "readout":  # pooling asks once
            row = choose_query(say("applications.asks"), dict(enumerate(_titles(case, clip))), 0)
    return site.weights(head)[row]


def _titles(case: Case, clip: Clip | None) -> list[str]:
    """`<bos>`, then the frames with what is heard in them."""
    heard = [""] * len(case.tokens)
    for name, start, end in () if clip is None else clip.parts:
        heard[start + 1 : end + 1] = [f" · {name}"] * (end - start)
    return [
        visible(label) if place == 0 else say("applications.sound.frame", n=label) + heard[place]
        for place, label in enumerate(case.tokens)
    ]


def _shares(weights: Tensor, clip: Clip) -> None:
    """Say how much of the attention lies on each part of the sound, and on `<bos>`, which is not sound."""
    shares = [f"{name} {float(weights[start:end].sum()):.0%}" for name, start, end in clip.parts]
    rest = f"{max(0.0, 1 - float(weights.sum())):.0%}"
    st.caption(plain(say("applications.sound.shares", shares=" · ".join(shares), rest=rest)))
