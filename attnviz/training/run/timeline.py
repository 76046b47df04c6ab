"""The attention timeline: every head's weights on the probe sequences, again and again while a network learns.

attention.bin
  one line of JSON     format, and the shape of every site's weights: {"sequence", "site", "shape": [H, Tq, Tk]}
  frame, frame ...     "SNAP", kind, step, length, CRC-32, then that many bytes of zlib

A frame holds all weights one after the other as uint8 (255 is a weight of 1): whole ones in a key frame, differences
from the frame before (modulo 256) in the others. Frames are only appended: the headers are the index, and a last frame
that was not written to its end is not there.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnviz.bounded import MALFORMED, open_regular, parse_json, reason
from attnviz.errors import RunCorrupt

__all__ = ["MOST_HEADER", "Timeline", "TimelineWriter", "read_sites"]

FORMAT = 1
HEADER = struct.Struct("<4sBIII")
MAGIC = b"SNAP"
DIFFERENCE, KEY = 0, 1
LEVEL = 1  # of compression: five times as fast as the usual one, for a third more bytes
KEY_EVERY = 32  # frames: what reading any one of them costs at most
MOST_HEADER = 2**20
"""Bytes of the first line."""
MOST_VALUES = 2**28  # weights of a snapshot
MOST_SEQUENCES = 1024
SHRINKS = 1032  # times, at most, that zlib makes anything smaller

Snapshot = Sequence[Mapping[str, Tensor]]  # per probe sequence, by site: (H, Tq, Tk)


@dataclass(frozen=True)
class _Site:
    sequence: int
    site: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _Frame:
    step: int
    kind: int
    start: int  # of its payload in the file
    length: int
    crc: int

    @property
    def end(self) -> int:
        return self.start + self.length


class Timeline:
    """The snapshots of a run, read back one at a time; there is none before the first one was written.

    Raises:
        RunCorrupt: the file does not begin like a timeline of this version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sites: list[_Site] = []
        self._frames: list[_Frame] = []
        try:
            with open_regular(path) as file:
                self._sites = read_sites(path, file.readline(MOST_HEADER))
                self._frames = _scan(file, file.tell()) if self._sites else []
        except FileNotFoundError:
            return
        except OSError as error:
            raise _corrupt(path, reason(error)) from error

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps of the snapshots, rising."""
        return tuple(frame.step for frame in self._frames)

    def weights(self, step: int) -> list[dict[str, Tensor]]:
        """All heads' weights at one of `steps`: per probe sequence, by site, (H, Tq, Tk) uint8, 255 for a weight of 1.

        Raises:
            KeyError: there is no snapshot of that step.
            RunCorrupt: its bytes were changed.
        """
        if step not in self.steps:
            raise KeyError(f"no snapshot at step {step}")
        last = self.steps.index(step)
        first = max(i for i in range(last + 1) if self._frames[i].kind == KEY)
        size = sum(prod(site.shape) for site in self._sites)
        values = np.zeros((), np.uint8)
        try:
            with open_regular(self.path) as file:
                for frame in self._frames[first : last + 1]:
                    values = values + self._unpack(file, frame, size)
        except OSError as error:
            raise _corrupt(self.path, reason(error)) from error
        return self._split(values)

    def _unpack(self, file: BinaryIO, frame: _Frame, size: int) -> NDArray[np.uint8]:
        """Return the bytes of one frame (size,): the weights, or what is to be added to those before.

        Nothing is unpacked that cannot be so many bytes, and no more of it than these.
        """
        file.seek(frame.start)
        payload = file.read(frame.length)
        if zlib.crc32(payload) == frame.crc and size <= SHRINKS * (len(payload) + 1):
            with suppress(zlib.error):
                unpacked = zlib.decompressobj().decompress(payload, size + 1)
                if len(unpacked) == size:
                    return np.frombuffer(unpacked, np.uint8)
        raise _corrupt(self.path, f"the snapshot of step {frame.step} is damaged")

    def _split(self, values: NDArray[np.uint8]) -> list[dict[str, Tensor]]:
        sequences: list[dict[str, Tensor]] = [{} for _ in range(1 + max(site.sequence for site in self._sites))]
        position = 0
        for site in self._sites:
            size = prod(site.shape)
            part = torch.from_numpy(values[position : position + size].copy()).view(site.shape)  # (H, Tq, Tk)
            sequences[site.sequence][site.site] = part
            position += size
        return sequences


class TimelineWriter:
    """Appends snapshots to a timeline.

    Args:
        path: path of the file; made with the first snapshot, else appended to. `last_step` is the step of its last one.
        up_to: later snapshots are dropped: a run that is resumed makes them again.

    Raises:
        RunCorrupt: the file is not a timeline of this version.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, up_to: int) -> None:
        self.path = path
        self.last_step: int | None = None
        if path.exists():
            with open_regular(path) as file:
                sites = read_sites(path, file.readline(MOST_HEADER))
                begin = file.tell() if sites else 0
                kept = [frame for frame in _scan(file, begin) if frame.step <= up_to]
            os.truncate(path, kept[-1].end if kept else begin)
            self.last_step = kept[-1].step if kept else None
        self._before: NDArray[np.uint8] | None = None
        self._count = 0

    def append(self, step: int, snapshot: Snapshot) -> None:
        """Write one snapshot: per probe sequence, by site, weights (H, Tq, Tk) from 0 to 1."""
        tensors = [weights for sequence in snapshot for weights in sequence.values()]
        flat = torch.cat([weights.flatten() for weights in tensors])
        values: NDArray[np.uint8] = (flat * 255).round().to(torch.uint8).numpy()
        kind, change = KEY, values
        if self._before is not None and self._count % KEY_EVERY:
            kind, change = DIFFERENCE, values - self._before
        payload = zlib.compress(change.tobytes(), LEVEL)
        header = HEADER.pack(MAGIC, kind, step, len(payload), zlib.crc32(payload))
        with self.path.open("ab") as file:
            if file.tell() == 0:
                file.write(_describe(snapshot))
            file.write(header + payload)
        self._before = values
        self._count += 1
        self.last_step = step


def _describe(snapshot: Snapshot) -> bytes:
    sites = [
        {"sequence": number, "site": name, "shape": list(weights.shape)}
        for number, sequence in enumerate(snapshot)
        for name, weights in sequence.items()
    ]
    return json.dumps({"format": FORMAT, "sites": sites}).encode() + b"\n"


def read_sites(path: Path, line: bytes) -> list[_Site]:
    """Read the sites from the first line; [] if it was not written to its end.

    Raises:
        RunCorrupt: it is none of this version.
    """
    if not line.endswith(b"\n"):
        if len(line) >= MOST_HEADER:
            raise _corrupt(path, f"its first line has more than {MOST_HEADER:,} bytes")
        return []
    try:
        values = parse_json(line, strict=True)
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']!r} is unknown, this version reads {FORMAT}")
        sites = [_site(each) for each in values["sites"]]
        if not sites:
            raise ValueError("it names no site of attention")
        if sum(prod(site.shape) for site in sites) > MOST_VALUES:
            raise ValueError(f"its snapshots have more than {MOST_VALUES:,} weights")
    except MALFORMED as error:
        raise _corrupt(path, reason(error)) from error
    return sites


def _site(values: Mapping[str, Any]) -> _Site:
    """One entry of the first line."""
    sequence, site, shape = values["sequence"], values["site"], values["shape"]
    if type(sequence) is not int or not 0 <= sequence < MOST_SEQUENCES:
        raise ValueError(f"sequence is {str(sequence)[:40]}; a whole number below {MOST_SEQUENCES:,} is expected")
    if type(site) is not str:
        raise ValueError("the name of a site is no text")
    sizes = [size for size in shape if type(size) is int and 0 < size <= MOST_VALUES]
    if len(shape) != 3 or len(sizes) != 3:
        raise ValueError(f"the shape of {site[:40]} is {str(shape)[:40]}; heads, queries and keys are expected")
    return _Site(sequence, site, tuple(sizes))


def _corrupt(path: Path, words: str) -> RunCorrupt:
    return RunCorrupt(path.parent.name, path.name, words)


def _scan(file: BinaryIO, begin: int) -> list[_Frame]:
    """Return all whole frames from a position on; it ends before the first one that is not whole."""
    size = file.seek(0, 2)
    frames: list[_Frame] = []
    position = begin
    while position + HEADER.size <= size:
        file.seek(position)
        magic, kind, step, length, crc = HEADER.unpack(file.read(HEADER.size))
        frame = _Frame(step, kind, position + HEADER.size, length, crc)
        if magic != MAGIC or frame.end > size or kind not in (KEY, DIFFERENCE) or (not frames and kind != KEY):
            break
        frames.append(frame)
        position = frame.end
    return frames
