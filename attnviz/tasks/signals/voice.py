"""A voice made of numbers: pulses of a throat through the resonances of a mouth, and what a spectrogram shows of it."""

from __future__ import annotations

import io
import wave
from math import exp, pi
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from attnviz.errors import SoundLength, SoundUnreadable
from attnviz.errors.base import Why

__all__ = [
    "RATE",
    "VOWELS",
    "Speech",
    "band_filters",
    "loudest",
    "read_wav",
    "resampled",
    "spectrogram",
    "synthesise",
    "wav_bytes",
]

RATE = 8000  # samples a second
FADE = 64  # samples in which one sound goes over into the next: 8 ms
RING = 400  # samples in which a mouth falls silent: 50 ms
WINDOW = 256  # samples of a frame: 32 ms
HOP = 128  # samples from one frame to the next: 16 ms
SILENCE = -50.0  # decibels below the loudest frame that count as nothing
VOWELS = {  # the first three formants in hertz
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
BANDWIDTHS = (60.0, 90.0, 150.0)  # hertz, of the formants
BEEP = len(VOWELS)  # index of the sound that is no vowel
BEEP_HERTZ = 1500.0
RATES = 1000, 192_000  # hertz, of files that are read
LONGEST = 60.0  # seconds of a file that is read
MOST_BYTES = 4_000_000


class Speech(NamedTuple):
    """Parameters of a batch of sounds to synthesise.

    Attributes:
        sounds: (B, S) int64: index of a vowel in `VOWELS`, or of the beep, which comes after them.
        ends: (B, S) int64: sample behind the last of each sound.
        pitch: (B,) hertz, of the voice.
        size: (B,) factor of all formants: short throats have more than 1.
    """

    sounds: Tensor
    ends: Tensor
    pitch: Tensor
    size: Tensor


def synthesise(speech: Speech, generator: Generator) -> Tensor:
    """Waveforms (B, N), N the last of `ends`: each vowel is a train of pulses through three resonators.

    Y(f) = X(f) H_1(f) H_2(f) H_3(f) / (1 - 0.9 z^{-1}),  H_k = A / (1 - B z^{-1} - C z^{-2}),  z = e^{2 pi i f / rate}
    C = -e^{-2 pi w_k / rate},  B = 2 e^{-pi w_k / rate} cos(2 pi f_k / rate),  A = 1 - B - C

    with formants f_k and their bandwidths w_k. The pitch falls from sound to sound and glides in each, there is breath
    in the pulses, and every sound has the same power. Sounds fade into each other within 8 ms.

    Source:
        Klatt 1980, "Software for a cascade/parallel formant synthesizer", the digital resonator; formants:
        Peterson and Barney 1952, table II, men (e: the vowel of "head").
    """
    begins = F.pad(speech.ends, (1, 0))[:, :-1]  # (B, S)
    lengths = speech.ends - begins
    n, size = int(speech.ends.max()), 1 << (int(lengths.max()) + FADE + RING - 1).bit_length()
    gates = _gates(lengths, size)  # (B, S, size)
    source = _pulses(speech.pitch[:, None] * (1 - 0.15 * begins / n), size, generator) * gates
    response = _responses(speech.sounds.clamp(max=BEEP - 1), speech.size, size)  # (B, S, size / 2 + 1)
    voiced = torch.fft.irfft(torch.fft.rfft(source) * response, size)
    beep = torch.sin(2 * pi * BEEP_HERTZ / RATE * torch.arange(size)) * gates
    sounds = beep.where((speech.sounds == BEEP)[..., None], voiced)  # (B, S, size)
    sounds = sounds * (lengths / sounds.square().sum(2)).sqrt()[..., None]
    places = begins[..., None] + torch.arange(size)
    row: Tensor = torch.zeros(len(begins), n + size).scatter_add(1, places.flatten(1), sounds.flatten(1))
    return row[:, :n]


def _pulses(hertz: Tensor, size: int, generator: Generator) -> Tensor:
    """(B, S) -> (B, S, size): a pulse whenever a period of the voice is over, and some breath."""
    times = torch.arange(size) / RATE
    phase, glide = torch.rand(2, *hertz.shape, 1, generator=generator)
    periods = (phase + hertz[..., None] * times * (1 + 0.5 * (glide - 0.5) * times)).floor()
    pulses: Tensor = periods.diff(dim=2, prepend=torch.zeros(*hertz.shape, 1))
    return pulses + 0.02 * torch.randn(pulses.shape, generator=generator)


def _gates(lengths: Tensor, size: int) -> Tensor:
    """(B, S) -> (B, S, size): how much of a sound is heard at each sample, 0 to 1."""
    times = torch.arange(size, dtype=torch.float32)
    fall = (lengths[..., None].float() + FADE - times) / FADE
    return fall.clamp(0, 1) * (times / FADE).clamp(max=1)


def _responses(vowels: Tensor, scale: Tensor, size: int) -> Tensor:
    """(B, S), (B,) -> (B, S, size / 2 + 1) complex: what the mouth makes of each frequency."""
    z = torch.exp(-2j * pi * torch.arange(size // 2 + 1) / size)  # z^{-1}
    hertz = scale[:, None, None] * torch.tensor(list(VOWELS.values()))[vowels]  # (B, S, 3)
    below = 1 - 0.9 * z
    for formant, width in zip(hertz.unbind(2), BANDWIDTHS, strict=True):
        radius = exp(-pi * width / RATE)
        b, c = 2 * radius * torch.cos(2 * pi * formant / RATE)[..., None], -(radius**2)
        below = below * (1 - b * z - c * z**2) / (1 - b - c)
    return 1 / below


def spectrogram(waveforms: Tensor, n_bands: int) -> Tensor:
    """(B, N) -> (B, frames, n_bands): loudness in bands, 0 (50 dB below the loudest band of the sound) to 1.

    Frames of 32 ms, every 16 ms, under a Hann window; bands as wide as the ear's (the mel scale).
    """
    power = (
        torch.stft(waveforms, WINDOW, HOP, window=torch.hann_window(WINDOW), center=False, return_complex=True)
        .abs()
        .square()
    )  # (B, WINDOW / 2 + 1, frames)
    bands = (band_filters(n_bands) @ power).transpose(1, 2)  # (B, frames, n_bands)
    loudest = bands.amax((1, 2), keepdim=True).clamp(min=1e-12)
    decibels = 10 * torch.log10((bands / loudest).clamp(min=1e-12))
    return (1 - decibels / SILENCE).clamp(0, 1)


def band_filters(n: int) -> Tensor:
    """(n, WINDOW / 2 + 1): triangles with corners at equal steps of mel, mel(f) = 2595 log10(1 + f / 700).

    Example:
        >>> band_filters(12).argmax(1).tolist()
        [4, 8, 12, 18, 24, 32, 40, 50, 61, 75, 90, 108]
    """
    top = 2595 * torch.log10(torch.tensor(1 + RATE / 2 / 700))
    corners = 700 * (10 ** (torch.linspace(0, 1, n + 2) * top / 2595) - 1)  # (n + 2,) hertz
    hertz = torch.linspace(0, RATE / 2, WINDOW // 2 + 1)
    low, middle, high = (corners[i : n + i, None] for i in range(3))
    return torch.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)).clamp(min=0)


def wav_bytes(waveform: Tensor) -> bytes:
    """Return a WAV file of a waveform (N,): 16 bits, one channel; its loudest sample is 0.9 of what 16 bits can say."""
    samples = (waveform / waveform.abs().max().clamp(min=1e-12) * 0.9 * 32767).round().short()
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.numpy().astype("<i2").tobytes())
    return file.getvalue()


def read_wav(content: bytes, seconds: tuple[float, float] = (0.0, LONGEST)) -> Tensor:
    """Return the waveform (N,) of a WAV file at `RATE`, -1 to 1; channels are averaged.

    Args:
        content: of the file. What its header says is held against its bytes, before anything is computed from it.
        seconds: the shortest and the longest sound to read.

    Raises:
        SoundUnreadable: no WAV file, or one that is compressed, damaged, empty or too large.
        SoundLength: it is shorter or longer.
    """
    import numpy as np

    if len(content) > MOST_BYTES:
        raise SoundUnreadable(Why("most-megabytes", most=MOST_BYTES // 1_000_000))
    try:
        with wave.open(io.BytesIO(content)) as sound:
            width, channels, rate = sound.getsampwidth(), sound.getnchannels(), sound.getframerate()
            data = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:
        raise SoundUnreadable(str(error) or Why("ends-early")) from None
    if width not in (1, 2, 3, 4) or not RATES[0] <= rate <= RATES[1]:
        raise SoundUnreadable(Why("sound-form", bits=8 * width, rate=rate))
    n = len(data) // (width * channels)
    if not n:
        raise SoundUnreadable(Why("no-sample"))
    if not seconds[0] <= n / rate <= seconds[1]:
        raise SoundLength(n / rate, *seconds)
    cells = np.frombuffer(data[: n * width * channels], dtype=np.uint8).reshape(-1, width).copy()
    if width == 1:
        cells ^= 0x80  # the only width without a sign
    padded = np.zeros((len(cells), 4), dtype=np.uint8)
    padded[:, 4 - width :] = cells  # little-endian: the high bytes are the last
    samples = padded.view("<i4").reshape(-1, channels).mean(1) / 2**31
    return resampled(torch.from_numpy(samples).float(), rate)


def loudest(waveform: Tensor, n: int) -> Tensor:
    """Return the n samples beside each other with the most energy; a shorter waveform (N,) as it is.

    Example:
        >>> loudest(torch.tensor([0.0, 0.1, 0.8, -0.9, 0.0]), 2)
        tensor([ 0.8000, -0.9000])
    """
    if len(waveform) <= n:
        return waveform
    energy = F.pad(waveform.double().square().cumsum(0), (1, 0))  # (N + 1,)
    start = int((energy[n:] - energy[:-n]).argmax())
    return waveform[start : start + n]


def resampled(waveform: Tensor, rate: int) -> Tensor:
    """Return a waveform (N,) at `RATE`: frequencies that do not fit are left out, nothing is shifted.

    Example:
        >>> tone = torch.sin(2 * pi * 400 * torch.arange(4410) / 44100)
        >>> expected = torch.sin(2 * pi * 400 * torch.arange(800) / 8000)
        >>> bool((resampled(tone, 44100) - expected).abs().max() < 1e-4)
        True
    """
    n = len(waveform)
    wanted = max(1, round(n * RATE / rate))
    if wanted == n:
        return waveform
    changed: Tensor = torch.fft.irfft(torch.fft.rfft(waveform)[: wanted // 2 + 1], wanted) * (wanted / n)
    return changed
