"""1,000 files as somebody makes them who means harm, or whose disk is failing; seeded, so that all can be had again.

Each kind begins with something whole and changes it: single bytes, numbers, names, sizes, nesting, and what is known to
have broken readers of such files elsewhere. `python -m tests.hostile.generator KIND N FOLDER` writes one out.
"""

from __future__ import annotations

import io
import json
import random
import stat
import struct
import sys
import warnings
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save

__all__ = ["COUNTS", "Files", "cases", "damaged"]

Files = dict[str, bytes]
"""A folder by the names in it; one file stands under the name ""."""

Value = Any

HUGE = (0, 1, -1, 2, 10**3, 10**6, 2**31 - 1, 2**31, 2**32, 2**63, 2**64, 10**18, 10**400, -(2**63), 1e308, 1e-308)
ODD = (
    *HUGE,
    0.5,
    float("nan"),
    float("inf"),
    True,
    None,
    "",
    "x",
    "\0",
    "\ud800",
    "../../etc/passwd",
    "/etc/passwd",
    "hf-internal/none",
    "a" * 10_000,
    [],
    [[]],
    {},
    {"a": {}},
    [0] * 1000,
    [2**31] * 5,
    {"model_type": "gpt2"},
    {"type": "Sequence"},
)
PATHS = (
    "../x",
    "../../etc/passwd",
    "/etc/passwd",
    "/tmp/x.safetensors",
    "a/../../x",
    "..\\x",
    "C:\\x",
    "C:x",
    "//host/share/x",
    "\\\\host\\x",
    "a/b/c",
    "./x",
    "x\0y",
    "x\ny",
    ".hidden",
    "",
    ".",
    "..",
    "con",
    "\u202e.json",
    "e\u0301.json",
    "n" * 300,
    "CONFIG.JSON",
    "config.json ",
    "config.json.",
    "config.json::$DATA",
    "~/x",
    "$HOME/x",
    "file:///etc/passwd",
    "%2e%2e/x",
    "..%2fx",
)
GPT2 = {
    "model_type": "gpt2",
    "architectures": ["GPT2LMHeadModel"],
    "vocab_size": 7,
    "n_positions": 5,
    "n_embd": 4,
    "n_layer": 1,
    "n_head": 2,
    "torch_dtype": "float32",
    "id2label": {"0": "a"},
    "tie_word_embeddings": True,
}
SETTINGS = (
    *GPT2,
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "max_position_embeddings",
    "text_config",
    "vision_config",
    "backbone",
    "use_pretrained_backbone",
    "use_timm_backbone",
    "backbone_config",
    "quantization_config",
    "auto_map",
    "_name_or_path",
    "transformers_weights",
    "attn_implementation",
    "rope_scaling",
    "layer_types",
    "pad_token_id",
    "is_encoder_decoder",
    "sub_configs",
    "dtype",
    "format",
    "model",
    "tokenizer",
    "card",
    "problem_type",
    "tokenizer_class",
)


def _weights() -> bytes:
    return save({"wte.weight": np.zeros((7, 4), np.float32), "wpe.weight": np.ones((5, 4), np.float32)})


def _model() -> Files:
    return {"config.json": json.dumps(GPT2).encode(), "model.safetensors": _weights()}


def _flip(rng: random.Random, content: bytes) -> bytes:
    """Some bytes changed, left out, doubled or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 2, 8, 40))):
        if not data:
            break
        at = rng.randrange(len(data))
        match rng.randrange(5):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + rng.randrange(1, 9)] = b""
            case 2:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
            case 3:
                data[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"))
            case 4:
                del data[at:]
    return bytes(data)


def _json(rng: random.Random, values: Value, names: tuple[str, ...] = ()) -> bytes:
    """JSON whose values, keys or text are changed."""
    match rng.randrange(10):
        case 0:
            return _flip(rng, json.dumps(values).encode())
        case 1:
            depth = rng.choice((50, 99, 101, 2_000, 200_000))
            opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
            return b'{"a":' + opening * depth + b"1" + closing * depth + b"}"
        case 2:
            return json.dumps(rng.choice(ODD)).encode("utf-8", "surrogatepass")
        case 3:
            return rng.choice(
                (b"", b"\xff\xfe", b"\xef\xbb\xbf{}", b"nan", b"{}" * 2, b" " * 100_000, b'{"a":1,"a":2}')
            )
        case 4:
            return json.dumps({**values, **{f"k{n}": n for n in range(rng.choice((10, 20_000)))}}).encode()
    changed = json.loads(json.dumps(values))
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change(rng, changed, names)
    return json.dumps(changed).encode("utf-8", "surrogatepass")


def _change(rng: random.Random, values: Value, names: tuple[str, ...]) -> None:
    """One value somewhere becomes another, or one is added or missing."""
    while True:
        keys = list(values) if isinstance(values, dict) else list(range(len(values)))
        inner = [key for key in keys if isinstance(values[key], dict | list) and values[key]]
        if not inner or rng.random() < 0.6:
            break
        values = values[rng.choice(inner)]
    if isinstance(values, dict) and (not keys or rng.random() < 0.4):
        values[rng.choice(names or ("a",))] = rng.choice(ODD)
    elif keys and isinstance(values, dict) and rng.random() < 0.15:
        del values[rng.choice(keys)]
    elif keys:
        values[rng.choice(keys)] = rng.choice(ODD)


def damaged(rng: random.Random, content: bytes) -> bytes:
    """A file of a model with something in it changed: a value, where it is JSON, else some bytes."""
    try:
        return _json(rng, json.loads(content), SETTINGS)
    except ValueError:
        return _flip(rng, content)


def config(rng: random.Random, number: int) -> Files:
    return {**_model(), "config.json": _json(rng, GPT2, SETTINGS)}


def index(rng: random.Random, number: int) -> Files:
    files = {"config.json": json.dumps(GPT2).encode(), "a.safetensors": _weights(), "b.safetensors": _weights()}
    shards: dict[str, Value] = {"wte.weight": "a.safetensors", "wpe.weight": "b.safetensors"}
    if rng.random() < 0.6:
        path = rng.choice(PATHS)
        shards[rng.choice((*shards, "other"))] = rng.choice((path, path + ".safetensors", rng.choice(ODD)))
        content = json.dumps({"metadata": {"total_size": rng.choice(ODD)}, "weight_map": shards})
        return {**files, "model.safetensors.index.json": content.encode("utf-8", "surrogatepass")}
    return {**files, "model.safetensors.index.json": _json(rng, {"metadata": {}, "weight_map": shards})}


def header(rng: random.Random, number: int) -> Files:
    content = _weights()
    length = int.from_bytes(content[:8], "little")
    values, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    match rng.randrange(6):
        case 0:
            made = _flip(rng, content)
        case 1:
            made = struct.pack("<Q", rng.choice((0, 1, length - 1, length + 1, 2**31, 2**40, 2**63, 2**64 - 1)))
            made += content[8:]
        case 2:
            values["wte.weight"]["shape"] = rng.choice(
                ([2**40, 2**40], [0], [], [-1, 4], [28], ["7", 4], [7, 4, 10**9])
            )
            made = _safetensors(values, data)
        case 3:
            values["wte.weight"]["data_offsets"] = rng.choice(
                ([0, 10**12], [-1, 5], [5, 0], [0, 0], [0], "x", [0, 1e300])
            )
            made = _safetensors(values, data)
        case 4:
            tensors = {f"t{n}": values["wte.weight"] for n in range(rng.choice((3, 3_000)))}
            made = _safetensors(tensors, data)
        case _:
            head = _json(rng, values)
            made = struct.pack("<Q", len(head)) + head + data
    return {"config.json": json.dumps(GPT2).encode(), "model.safetensors": made}


def _safetensors(values: Value, data: bytes) -> bytes:
    head = json.dumps(values).encode()
    return struct.pack("<Q", len(head)) + head + data


def archive(rng: random.Random, number: int) -> Files:
    files: dict[str, bytes] = {**_model(), "tokenizer_config.json": b"{}"}
    names: list[tuple[str, bytes]] = list(files.items())
    mode, attributes, flags = zipfile.ZIP_DEFLATED, 0, 0
    match rng.randrange(14):
        case 0 | 1 | 2:
            names.append((rng.choice(PATHS) + rng.choice(("", ".json", ".txt")), b"x"))
        case 3:
            attributes = rng.choice((stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFSOCK)) | 0o777
        case 4:
            names.append((rng.choice(("model.safetensors", "tokenizer.json", "vocab.txt")), b"\0" * 3_000_000))
        case 5:
            names += [(f"{n}.json", b"{}") for n in range(rng.choice((150, 250, 3000)))]
        case 6:
            mode = rng.choice((zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2))
        case 7:
            flags = rng.choice((1, 0x40, 0x2000))
        case 8:
            names.append((rng.choice(("run.py", "model.bin", "x.pkl", "a.tar", "x.so", "x")), b"x"))
        case 9:
            names.append(rng.choice(names))
        case 10:
            names = [(f"{rng.choice('ab')}/{name}", content) for name, content in names]
        case 11:
            return {"": _overlapping()}
        case 12:
            names.append(
                ("tokenizer_config.json", _json(rng, TOKENIZER_SETTINGS, ("vocab_file", "vocab", "gguf_file")))
            )
            del names[2]
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", mode) as writer:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, content in names:
            member = zipfile.ZipInfo(name.replace("\0", "\x01") or "x")
            member.compress_type = mode
            member.external_attr = attributes << 16
            writer.writestr(member, content)
    content = made.getvalue()
    if flags:
        at = content.rindex(b"PK\x01\x02") + 8
        content = content[:at] + struct.pack("<H", flags) + content[at + 2 :]
    return {"": _flip(rng, content) if rng.random() < 0.4 else content}


TOKENIZER_SETTINGS = {"tokenizer_class": "GPT2Tokenizer", "vocab_file": "/etc/passwd", "unk_token": "<unk>"}


def _overlapping() -> bytes:
    """Many entries of the list of files that share the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("config.json", b" " * 200_000)
    content = made.getvalue()
    at = content.rindex(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    entry = content[at:end]
    entries = entry + b"".join(entry.replace(b"config.json", b"confi%02d.json"[:11] % n) for n in range(99))
    tail = bytearray(content[end:])
    tail[8:12] = struct.pack("<HH", 100, 100)
    tail[12:16] = struct.pack("<I", len(entries))
    return content[:at] + entries + bytes(tail)


def sound(rng: random.Random, number: int) -> Files:
    made = io.BytesIO()
    with wave.open(made, "wb") as writer:
        writer.setnchannels(rng.choice((1, 2)))
        writer.setsampwidth(rng.choice((1, 2, 3, 4)))
        writer.setframerate(rng.choice((8000, 44100)))
        writer.writeframes(bytes(rng.randrange(256) for _ in range(1200)) * rng.choice((1, 12)))
    content = bytearray(made.getvalue())
    match rng.randrange(4):
        case 0:
            content[24:28] = struct.pack("<I", rng.choice((0, 1, 2, 7, 100, 2**31, 2**32 - 1)))
        case 1:
            at, kind = rng.choice(((20, "<H"), (22, "<H"), (32, "<H"), (34, "<H"), (4, "<I"), (16, "<I"), (40, "<I")))
            most = 2 ** (8 * struct.calcsize(kind)) - 1
            content[at : at + struct.calcsize(kind)] = struct.pack(kind, rng.choice((0, 1, 3, 255, most // 2, most)))
        case 2:
            content += b"LIST" + struct.pack("<I", rng.choice((0, 5, 2**32 - 1))) + b"x" * 5
        case 3:
            return {"": _flip(rng, bytes(content))}
    return {"": bytes(content)}


def picture(rng: random.Random, number: int) -> Files:
    kind = rng.choice(("PNG", "JPEG", "WEBP"))
    mode = rng.choice(("RGB", "L", "RGBA", "P", "I;16", "1", "CMYK") if kind == "PNG" else ("RGB", "L"))
    made = io.BytesIO()
    size = rng.choice(((1, 1), (3, 5), (64, 48), (1, 3_000)))
    image = Image.new("RGB" if mode == "CMYK" else mode, size)
    image.save(made, kind)
    content = made.getvalue()
    if kind == "PNG" and rng.random() < 0.5:
        head = struct.pack(
            ">II", *rng.choice(((2**31 - 1,) * 2, (0, 5), (100_000, 100_000), (1, 49_000_000), (2**16, 1)))
        )
        content = content[:16] + head + content[24:]
        content = content[:29] + struct.pack(">I", zlib.crc32(content[12:29])) + content[33:]
        return {"": content}
    if rng.random() < 0.2:
        return {"": rng.choice((b"", b"GIF89a", b"BM" + b"\0" * 60, b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>"))}
    return {"": _flip(rng, content)}


def table(rng: random.Random, number: int) -> Files:
    """Texts with labels, sentences with tags, series of numbers: in odd encodings, with odd signs, of odd sizes."""
    rows = rng.choice((1, 25, 300))
    match rng.randrange(3):
        case 0:
            lines = [f"{rng.choice(WORDS)} {n},{rng.choice(('good', 'bad'))}" for n in range(rows)]
        case 1:
            lines = [rng.choice((f"{rng.choice(WORDS)} B-PER", f"{rng.choice(WORDS)} O", "")) for _ in range(rows)]
        case _:
            lines = [
                str(rng.choice((n, n / 7, rng.choice(HUGE), "NaN", "inf", "", "1e999", "0x10"))) for n in range(rows)
            ]
    separator = rng.choice(("\n", "\r\n", "\r", "\x85", "\u2028", ";", "\0"))
    text = separator.join(lines)
    if rng.random() < 0.5:
        at = rng.randrange(len(text) + 1)
        odd = (
            '"',
            '"' * 99,
            "\t" * 500,
            "," * 500,
            "\ufeff",
            "\u202e",
            "a" * 300_000,
            "\x1b[2J",
            "<script>",
            "\n" * 9_000,
        )
        text = text[:at] + rng.choice(odd) + text[at:]
    content = text.encode(rng.choice(("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le")), "surrogatepass")
    return {"": _flip(rng, content) if rng.random() < 0.3 else content}


WORDS = ("film", "好", "e\u0301", "\u0130", "DROP TABLE", "=cmd|'/c calc'!A1", "null", "𝕏", "a-b", "''")


def problem(rng: random.Random, number: int) -> Files:
    from attnviz.calculator.link import to_json
    from attnviz.calculator.presets import PRESETS

    values = json.loads(to_json(rng.choice(list(PRESETS.values()))))
    return {"": _json(rng, values, (*values, "window", "temperature", "padding", "heads"))}


def link(rng: random.Random, number: int) -> Files:
    """The parameters of an address, as JSON."""
    from attnviz.calculator.link import NAMES

    names = (*sorted(NAMES), "model", "text", "target", "image", "layer", "head", "step", "lang", "run", "x")
    texts = (*PATHS, *map(str, HUGE), "run/../x@1", "run/x@" + "9" * 12, "zoo/../x", "upload/" + "a" * 32, "hf:../x")
    texts += ("1_2*3_4", "1_" * 5_000, "*" * 9_000, "nan", "1.5", "none", "true", "\ud800", "٣", "1e9999", "½")
    values = {rng.choice(names): rng.choice(texts) for _ in range(rng.choice((1, 2, 5)))}
    return {"": json.dumps(values).encode("utf-8", "surrogatepass")}


def run(rng: random.Random, number: int) -> Files:
    """A finished run with one of its files changed; the whole one comes from the test."""
    name = rng.choice(("config.json", "state.json", "metrics.jsonl", "attention.bin", "control.jsonl"))
    return {name: RUN_CHANGES[rng.randrange(len(RUN_CHANGES))](rng, _run_file(name))}


def _run_file(name: str) -> bytes:
    return (RUN / name).read_bytes() if (RUN / name).is_file() else b""


RUN = Path(__file__).parent / "run"  # set by the test to a run of its own


def _lines(rng: random.Random, content: bytes) -> bytes:
    """One line of JSON changed, as far as it is any."""
    lines = content.split(b"\n")
    at = rng.choice((0, 0, rng.randrange(len(lines))))
    try:
        values = json.loads(lines[at])
    except ValueError:
        return _flip(rng, content)
    lines[at] = _json(rng, values, ("sequence", "shape", "step", "version", "sites"))
    return b"\n".join(lines)


def _whole(rng: random.Random, content: bytes) -> bytes:
    try:
        return _json(rng, json.loads(content), ("model", "task", "training", "state", "step"))
    except ValueError:
        return _flip(rng, content)


RUN_CHANGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (_flip, _lines, _whole)

COUNTS: dict[Callable[[random.Random, int], Files], int] = {
    archive: 200,
    config: 170,
    index: 80,
    header: 120,
    sound: 100,
    picture: 60,
    table: 90,
    problem: 60,
    link: 50,
    run: 70,
}
"""How many of each kind, 1,000 in all."""


def cases(make: Callable[[random.Random, int], Files]) -> Iterator[tuple[int, Files]]:
    """The cases of one kind, each from a seed of its own."""
    for number in range(COUNTS[make]):
        yield number, make(random.Random(f"{make.__name__}-{number}"), number)


def main(kind: str, number: str, folder: str) -> None:
    """Write one case out, to look at."""
    make = next(make for make in COUNTS if make.__name__ == kind)
    for name, content in make(random.Random(f"{kind}-{number}"), int(number)).items():
        path = Path(folder, name or kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
