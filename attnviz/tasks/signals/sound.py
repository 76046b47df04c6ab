"""Sound: a spoken row of vowels with a beep in it, and the vowel that comes after the beep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.language.classify import linear_baselines
from attnviz.tasks.signals.voice import BEEP, HOP, RATE, VOWELS, WINDOW, Speech, read_wav, spectrogram, synthesise
from attnviz.vectors import NUMBER_ID, Vectors

__all__ = ["Clip", "Sound"]

FRAMES = 40
SAMPLES = WINDOW + (FRAMES - 1) * HOP  # 0.656 s
PITCH = 90.0, 220.0  # hertz
SIZE = 0.9, 1.2  # of all formants
LENGTH = 0.8, 1.25  # of a sound, of the mean
HISS = 0.01, 0.1  # standard deviation of what is heard all the time, that of a sound being 1
NAMES = (*VOWELS, "beep")
CLIPS_SEED = 7  # of the examples


class Clip(NamedTuple):
    """A sound and what is said in it.

    Attributes:
        waveform: (N,) samples.
        frames: (frames, bands), what the model reads of it.
        parts: name, first frame and the one behind the last, of each vowel and of the beep.
        answer: the vowel after the beep.
    """

    waveform: Tensor
    frames: Tensor
    parts: tuple[tuple[str, int, int], ...]
    answer: str


@dataclass(frozen=True)
class Sound(Task):
    """An encoder reads the frames of a spectrogram, and says at `<bos>` which vowel comes after the beep.

        heard   o i (beep) a u
        read    <bos> 0.12,0.8,0.4 ... (40 frames of 16 ms, loudness in 16 bands of frequencies)
        write   a

    Every sound is a waveform, synthesised by voices of any pitch and size, under hiss. Which vowels there are is not
    enough; the order must be read from time. A row of vowels that is tested was never trained on, in no voice at all.

    Example:
        >>> task = Sound()
        >>> clip = task.clip(0)
        >>> [name for name, _, _ in clip.parts], clip.answer
        (['u', 'o', 'a', 'beep', 'e'], 'e')
        >>> clip.waveform.shape, clip.frames.shape
        (torch.Size([5248]), torch.Size([40, 16]))

    Attributes:
        vowels: vowels in a row, no two alike beside each other.
        bands: bands of frequencies, numbers of a frame.

    Raises:
        ConfigError: fewer than two vowels or more than six, fewer than 8 bands or more than 32.
    """

    vowels: int = whole(4, 2, 6, offered=(3, 4, 5))
    bands: int = whole(16, 8, 32, offered=(12, 16, 24))

    name = "sound"
    architecture = "encoder"
    metric = "accuracy"
    readout = "whole"
    labels = tuple(VOWELS)  # the vowels

    @cached_property
    def tokenizer(self) -> Vectors:
        """Frames, with two decimals, as they are drawn."""
        return Vectors("frames", bands=self.bands, add_bos=True)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sounds, each of a row of vowels and in a voice of its own."""
        speech, waveforms = self._spoken(n, generator, split)
        tokens = torch.full((n, FRAMES + 1), NUMBER_ID)
        tokens[:, 0] = Vectors.bos_id
        targets = torch.full_like(tokens, IGNORE)
        targets[:, 0] = _answers(speech.sounds)
        features = F.pad(self.frames(waveforms), (0, 0, 1, 0))  # zeros for <bos>
        return Batch(tokens, targets, features=features)

    def clips(self, n: int, generator: Generator, split: Split = "test") -> tuple[Clip, ...]:
        """n sounds as they are heard, the same that `sample` makes of the same generator."""
        speech, waveforms = self._spoken(n, generator, split)
        answers = (tuple(VOWELS)[answer] for answer in _answers(speech.sounds).tolist())
        rows = zip(
            waveforms, self.frames(waveforms), speech.sounds.tolist(), speech.ends.tolist(), answers, strict=True
        )
        return tuple(Clip(heard, read, _parts(sounds, ends), answer) for heard, read, sounds, ends, answer in rows)

    def clip(self, index: int) -> Clip:
        """One sound of the test, the same for each index."""
        return self.clips(1, Generator().manual_seed(CLIPS_SEED + index))[0]

    def text(self, frames: Tensor) -> str:
        """Return the frames (frames, bands) as a text to type."""
        return self.tokenizer.decode([NUMBER_ID] * len(frames), frames)

    def read(self, content: bytes) -> Tensor:
        """Return the frames (frames, bands) of a WAV file that somebody brought.

        Raises:
            SoundUnreadable: it is none.
            SoundLength: it is shorter than a frame, or longer than the model reads.
        """
        longest = SAMPLES + HOP - 1  # with as many frames as the model reads
        return self.frames(read_wav(content, (WINDOW / RATE, longest / RATE))[None])[0]

    def frames(self, waveforms: Tensor) -> Tensor:
        """(B, N) -> (B, frames, bands), in hundredths."""
        return spectrogram(waveforms, self.bands).mul(100).round() / 100

    def _spoken(self, n: int, generator: Generator, split: Split) -> tuple[Speech, Tensor]:
        """Draw what is said, and synthesise it: (B, N)."""
        sounds = draw(n, split, lambda count: self._rows(count, generator))  # (B, vowels + 1)
        lengths = _between(LENGTH, sounds.shape, generator)
        ends = (lengths.cumsum(1) / lengths.sum(1, keepdim=True) * SAMPLES).round().long()
        speech = Speech(sounds, ends, _between(PITCH, (n,), generator), _between(SIZE, (n,), generator))
        hiss = _between(HISS, (n, 1), generator) * torch.randn(n, SAMPLES, generator=generator)
        return speech, synthesise(speech, generator) + hiss

    def _rows(self, count: int, generator: Generator) -> Tensor:
        """Random (count, vowels + 1) int64, neighbours unlike; the beep stands anywhere but at the end."""
        n = len(VOWELS)
        first = torch.randint(n, (count, 1), generator=generator)
        steps = torch.randint(1, n, (count, self.vowels - 1), generator=generator)
        vowels = torch.cat((first, steps), 1).cumsum(1) % n  # (count, vowels)
        place = torch.randint(self.vowels, (count, 1), generator=generator)
        positions = torch.arange(self.vowels + 1)
        moved = vowels.gather(1, (positions - (positions > place).long()).clamp(max=self.vowels - 1))
        return moved.where(positions != place, BEEP)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the most frequent vowel, and a linear model of the mean spectrum, which knows no order."""
        return linear_baselines("mean spectrum", self._means("train", seed), self._means("test", seed))

    def _means(self, split: Split, seed: int) -> tuple[Tensor, Tensor]:
        """1024 mean spectra (N, bands) and the vowels after the beep (N,)."""
        generator = Generator().manual_seed(seed)
        spectra, answers = [], []
        for _ in range(16):  # all at once would take a lot of memory
            batch = self.sample(64, generator, split)
            assert batch.features is not None  # a sound has frames
            spectra.append(batch.features[:, 1:].mean(1))
            answers.append(batch.targets[:, 0])
        return torch.cat(spectra), torch.cat(answers)

    def model_config(self) -> ModelConfig:
        """Two layers, to find the beep and then what comes after it; positions are rotary, for that is relative."""
        return self.transformer(FRAMES + 1, d_ff=96, positions="rotary", embedding_std=0.2, n_features=self.bands)

    def recurrent_config(self) -> RecurrentConfig:
        """Return an LSTM in both directions, pooled by additive attention: it, too, has frames to point at."""
        return replace(super().recurrent_config(), pooling="additive", embedding_std=0.2)

    def texts(self) -> tuple[Example, ...]:
        """Return some sounds of the test: `clip` of 0, 1 and 2."""
        return tuple(self.text(self.clip(index).frames) for index in range(3))


def _answers(sounds: Tensor) -> Tensor:
    """(B, S) -> (B,): what comes after the beep."""
    beep = (sounds == BEEP).int().argmax(1, keepdim=True)
    return sounds.gather(1, beep + 1)[:, 0]


def _between(limits: tuple[float, float], size: tuple[int, ...], generator: Generator) -> Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(size, generator=generator)


def _parts(sounds: list[int], ends: list[int]) -> tuple[tuple[str, int, int], ...]:
    """Return the frames of each sound: those whose middle lies in it."""
    cuts = [min(FRAMES, max(0, -(-(end - WINDOW // 2) // HOP))) for end in (0, *ends)]
    cuts[-1] = FRAMES
    return tuple((NAMES[sound], cuts[i], cuts[i + 1]) for i, sound in enumerate(sounds))
