"""Sound: vowels sound like vowels, rows of them are on one side alone, and WAV files come back as they were written."""

from __future__ import annotations

import io
import struct
import tracemalloc
import wave
from contextlib import nullcontext, suppress
from itertools import pairwise
from math import pi

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from attnviz.errors import ConfigError, SoundLength, SoundUnreadable
from attnviz.models.network import build_network
from attnviz.tasks.base import IGNORE, SPLITS
from attnviz.tasks.signals.sound import FRAMES, SAMPLES, Sound
from attnviz.tasks.signals.voice import (
    BEEP,
    RATE,
    VOWELS,
    Speech,
    read_wav,
    resampled,
    spectrogram,
    synthesise,
    wav_bytes,
)
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.loop import evaluate, train


def spoken(sound: int, pitch: float = 100.0, size: float = 1.0, n: int = 4096) -> Tensor:
    """One sound, (n,)."""
    speech = Speech(torch.tensor([[sound]]), torch.tensor([[n]]), torch.tensor([pitch]), torch.tensor([size]))
    return synthesise(speech, Generator().manual_seed(0))[0]


def energy(waveform: Tensor, hertz: float) -> float:
    """Mean power within 120 Hz of a frequency."""
    power = torch.fft.rfft(waveform).abs().square()
    frequencies = torch.fft.rfftfreq(len(waveform), 1 / RATE)
    return float(power[(frequencies - hertz).abs() < 120].mean())


@pytest.mark.parametrize("vowel", VOWELS)
@pytest.mark.parametrize("size", [0.9, 1.2])
def test_formants_are_where_they_should_be(vowel: str, size: float) -> None:
    """More power at the first two formants than half-way between them, and more than half-way to the third."""
    waveform = spoken([*VOWELS].index(vowel), size=size)
    first, second, third = (size * formant for formant in VOWELS[vowel])
    if second - first > 700:
        assert energy(waveform, first) > 2 * energy(waveform, (first + second) / 2)
        assert energy(waveform, second) > 1.5 * energy(waveform, (first + second) / 2)
    if third - second > 800:
        assert energy(waveform, second) > 2 * energy(waveform, (second + third) / 2)


def test_the_voice_has_its_pitch() -> None:
    for pitch in (100.0, 200.0):
        waveform = spoken(2, pitch, n=1024)
        correlation = torch.stack(
            [(waveform[lag:] * waveform[: len(waveform) - lag]).sum() for lag in range(RATE // 60)]
        )
        lag = int(correlation[RATE // 250 :].argmax()) + RATE // 250
        assert RATE / lag == pytest.approx(pitch, rel=0.1)


def test_all_sounds_have_the_same_power() -> None:
    powers = [float(spoken(sound).square().mean()) for sound in range(BEEP + 1)]
    assert min(powers) > 0.8
    assert max(powers) < 1.2


def test_a_tone_is_seen_in_its_band() -> None:
    tone = torch.sin(2 * pi * 1000 * torch.arange(4000) / RATE)
    frames = spectrogram(tone[None], 16)[0]
    assert frames.argmax(1).unique().tolist() == [7]  # 1000 Hz is 1000 mel: 1000 / 2146 * 17 = 7.9
    assert frames.max() == 1
    assert frames.min() == 0


def test_samples_are_the_clips() -> None:
    task = Sound()
    batch = task.sample(4, Generator().manual_seed(3), "test")
    clips = task.clips(4, Generator().manual_seed(3), "test")
    assert batch.features is not None
    assert batch.tokens.shape == (4, FRAMES + 1)
    assert (batch.targets[:, 1:] == IGNORE).all()
    for clip, features, target in zip(clips, batch.features, batch.targets[:, 0].tolist(), strict=True):
        assert torch.equal(clip.frames, features[1:])
        assert clip.answer == task.labels[target]
        assert clip.waveform.shape == (SAMPLES,)


def test_the_answer_comes_after_the_beep() -> None:
    beginnings = set()
    for clip in Sound().clips(50, Generator().manual_seed(0)):
        names = [name for name, _, _ in clip.parts]
        assert len(names) == 5
        assert names.count("beep") == 1
        assert names[names.index("beep") + 1] == clip.answer
        assert all(a != b for a, b in pairwise(names))
        edges = [edge for _, begin, end in clip.parts for edge in (begin, end)]
        assert edges == sorted(edges)
        assert (edges[0], edges[-1]) == (0, FRAMES)
        beginnings.add(names.index("beep"))
    assert beginnings == {0, 1, 2, 3}


def test_the_beep_is_heard_where_it_should_be() -> None:
    for clip in Sound().clips(10, Generator().manual_seed(0)):
        ((_, begin, end),) = [part for part in clip.parts if part[0] == "beep"]
        loudest = clip.frames.argmax(1)  # the beep is one band, and brighter than any other
        inside = loudest[begin + 1 : end - 1]
        assert len(inside.unique()) == 1, f"one tone in frames {begin} to {end}"


def test_no_row_of_vowels_is_on_two_sides() -> None:
    task = Sound(vowels=3)
    rows = {}
    for split in SPLITS:
        clips = task.clips(200, Generator().manual_seed(1), split)
        rows[split] = {tuple(name for name, _, _ in clip.parts) for clip in clips}
    assert not rows["train"] & rows["test"]
    assert not rows["train"] & rows["validation"]
    assert not rows["validation"] & rows["test"]


def test_a_bag_of_frames_is_not_enough() -> None:
    scores = dict(Sound().baselines())
    assert scores["most frequent label"] < 0.3
    assert scores["most frequent label"] - 0.05 < scores["mean spectrum"] < 0.5


def test_what_is_written_is_what_was_drawn() -> None:
    task = Sound()
    assert len(task.examples()) == 3
    for index, text in enumerate(task.examples()):
        assert isinstance(text, str)
        assert torch.equal(task.tokenizer.features(text)[1:], task.clip(index).frames)
    assert torch.equal(task.clip(1).waveform, task.clip(1).waveform)


def test_a_clip_can_be_saved_and_read_again() -> None:
    task = Sound()
    clip = task.clip(0)
    content = wav_bytes(clip.waveform)
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        assert sound.getnframes() == SAMPLES
    assert (task.read(content) - clip.frames).abs().max() <= 0.011, "one hundredth, by rounding to 16 bits"


def file_of(samples: Tensor, width: int, channels: int = 1, rate: int = RATE) -> bytes:
    """A WAV file of samples (N, channels) from -1 to 1, written without the code under test."""
    scaled = (samples.double().numpy() * (2 ** (8 * width - 1) - 1)).round().astype(np.int64)
    if width == 1:
        scaled = scaled + 128
    data = b"".join(int(each).to_bytes(width, "little", signed=width > 1) for each in scaled.flatten())
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(data)
    return file.getvalue()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_is_read(width: int) -> None:
    tone = 0.8 * torch.sin(2 * pi * 440 * torch.arange(400) / RATE)
    read = read_wav(file_of(tone[:, None], width))
    assert read == pytest.approx(tone, abs=2 / 2 ** (8 * width - 1) if width < 3 else 1e-5)


def test_channels_are_averaged() -> None:
    left, right = torch.rand(2, 300, generator=Generator().manual_seed(0)) - 0.5
    read = read_wav(file_of(torch.stack((left, right), 1), 2, channels=2))
    assert read == pytest.approx((left + right) / 2, abs=1e-4)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_any_rate_is_read(rate: int) -> None:
    tone = 0.8 * torch.sin(2 * pi * 500 * torch.arange(rate) / rate)
    expected = 0.8 * torch.sin(2 * pi * 500 * torch.arange(RATE) / RATE)
    read = read_wav(file_of(tone[:, None], 2, rate=rate))
    assert len(read) == RATE
    assert read[100:-100] == pytest.approx(expected[100:-100], abs=0.01)


def test_what_is_too_high_is_left_out() -> None:
    high = torch.sin(2 * pi * 6000 * torch.arange(4410) / 44100)
    assert resampled(high, 44100).abs().max() < 0.01


def with_header(
    rate: int = RATE, channels: int = 1, bits: int = 8, kind: int = 1, data: bytes = bytes(20_000)
) -> bytes:
    """A WAV file whose header says what one likes."""
    block = channels * bits // 8 % 2**16
    chunk = struct.pack("<HHLLHH", kind, channels, rate, rate * block % 2**32, block, bits)
    body = b"WAVEfmt " + struct.pack("<L", len(chunk)) + chunk + b"data" + struct.pack("<L", len(data)) + data
    return b"RIFF" + struct.pack("<L", len(body)) + body


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "This sound cannot be read"),
        (b"ID3 not a sound at all", "file does not start with RIFF id"),
        (file_of(torch.zeros(10, 1), 2)[:20], "This sound cannot be read"),
        (file_of(torch.zeros(0, 1), 2), "there is no sample in it"),
        (bytes(4_000_001), "more than 4 MB"),
        (with_header(rate=0), "8 bits, 0 Hz"),
        (with_header(rate=1), "8 bits, 1 Hz"),
        (with_header(rate=10**9), "8 bits, 1,000,000,000 Hz"),
        (with_header(channels=0), "bad # of channels"),
        (with_header(channels=65535), "there is no sample in it"),
        (with_header(bits=0), "bad sample width"),
        (with_header(bits=65535), "65,536 bits"),
        (with_header(kind=3, bits=32, data=struct.pack("<f", float("nan")) * 4000), "unknown format: 3"),
        (with_header(kind=0xFFFE), "unknown format"),
    ],
)
def test_what_is_no_sound_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(SoundUnreadable) as caught:
        read_wav(content)
    assert message in str(caught.value)
    assert "Use an uncompressed WAV file" in str(caught.value)


def test_sounds_of_another_length_are_refused() -> None:
    for n in (100, SAMPLES + 200):
        with pytest.raises(SoundLength, match=f"The sound lasts {n / RATE:.2f} s; it must last 0.03 to 0.67 s"):
            Sound().read(file_of(torch.rand(n, 1), 2))
    assert len(Sound().read(file_of(torch.rand(SAMPLES + 100, 1), 2))) == FRAMES
    silent = Sound().read(file_of(torch.zeros(1000, 1), 2))
    assert silent.isfinite().all()


@pytest.mark.parametrize("rate", [1, 2, 999, 1000, 8000, 192_000, 10**9])
@pytest.mark.parametrize("size", [20_000, 1_000_000, 3_900_000])
def test_bounds_are_held_before_anything_is_computed(rate: int, size: int) -> None:
    """A header that promises hours takes no more memory than a few copies of the file."""
    content = with_header(rate, data=bytes(size))
    tracemalloc.start()
    try:
        with pytest.raises((SoundUnreadable, SoundLength)) if size / rate > 0.67 or rate > 192_000 else nullcontext():
            Sound().read(content)
        assert tracemalloc.get_traced_memory()[1] < 10 * size + 2**20
    finally:
        tracemalloc.stop()


def test_what_the_header_promises_and_the_file_lacks_is_not_there() -> None:
    """Sizes of chunks beyond the end of the file, cut at every byte: an error of ours or the samples that are there."""
    content = file_of(torch.rand(300, 1, generator=Generator().manual_seed(0)), 2)
    for end in range(len(content)):
        with suppress(SoundUnreadable):
            assert read_wav(content[:end]).isfinite().all()
    for place in range(44):
        for value in (0, 1, 0x7F, 0xFF):
            with suppress(SoundUnreadable, SoundLength):
                assert read_wav(content[:place] + bytes([value]) + content[place + 1 :]).isfinite().all()


def test_limits() -> None:
    with pytest.raises(ConfigError, match="vowels is 1; it must be a whole number from 2 to 6"):
        Sound(vowels=1)


def test_networks_can_learn() -> None:
    task = Sound(vowels=2)
    network = build_network(task.recurrent_config(), 0)
    for _ in train(network, task, TrainConfig(steps=40, warmup_steps=10, validate_every=40, validation_size=64)):
        pass
    assert evaluate(network, task, "test", 128).accuracy > 0.3, "chance is 0.2"
