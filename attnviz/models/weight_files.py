"""Find the weight files of a model and read their headers, never the weights."""

from __future__ import annotations

from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath

from safetensors import SafetensorError, safe_open

from attnviz.bounded import read_json, reason
from attnviz.errors import ModelCorrupt, ModelNotFound, UnsafeWeights
from attnviz.errors.base import Why
from attnviz.models.bundle import PICKLED, WEIGHTS_FILE

__all__ = ["SHARDS_FILE", "shapes_in", "stored_parameters", "weight_files"]

SHARDS_FILE = "model.safetensors.index.json"
"""File of transformers that says which file holds which tensor, when there are several."""

MAX_HEADER = 32 * 2**20
MAX_TENSORS = 200_000  # of one file


def weight_files(folder: Path, name: str | None = None) -> list[Path]:
    """model.safetensors, or the shards in which a large model is kept; all lie in the folder itself.

    Args:
        folder: folder with the model.
        name: name for messages; by default the folder's.

    Raises:
        ModelNotFound, UnsafeWeights: there are none, or pickled ones alone.
        ModelCorrupt: the list of shards cannot be read, or names a file outside of the folder.
    """
    name = name or folder.name
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    try:
        shards = set(read_json(folder / SHARDS_FILE)["weight_map"].values())
    except (FileNotFoundError, NotADirectoryError) as error:
        pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
        raise UnsafeWeights(name, pickled[0]) if pickled else ModelNotFound(name, WEIGHTS_FILE) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelCorrupt(name, SHARDS_FILE, reason(error)) from error
    for shard in shards:
        if not isinstance(shard, str) or not _is_plain(shard):
            raise ModelCorrupt(name, SHARDS_FILE, Why("outside-file", file=str(shard)[:100]))
        if not (folder / shard).is_file():
            raise ModelNotFound(name, shard)
    if not shards:
        raise ModelCorrupt(name, SHARDS_FILE, Why("no-file"))
    return [folder / shard for shard in sorted(shards)]


def _is_plain(name: str) -> bool:
    """Whether a text is the name of a file of weights, and no path on any system."""
    return (
        name.endswith(".safetensors")
        and name.isprintable()
        and len(name) <= 255
        and PurePosixPath(name).name == name == PureWindowsPath(name).name
    )


def stored_parameters(folder: Path) -> int:
    """Count the numbers in the weights of a model's folder, by the headers of its files; integers are not counted.

    Raises:
        ModelNotFound: a file of weights is missing.
        ModelCorrupt: one cannot be read.
    """
    tensors = [tensor for path in weight_files(folder) for tensor in shapes_in(path).values()]
    return sum(prod(shape) for dtype, shape in tensors if dtype.startswith(("F", "BF")))


def shapes_in(path: Path, name: str | None = None) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the kind of number and shape of every tensor in a safetensors file, as its header says.

    Args:
        name: name of the model, for messages; by default the folder's.

    Raises:
        ModelCorrupt: it is no whole safetensors file, or has a header that no model needs.
    """
    name = name or path.parent.name
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ModelCorrupt(name, path.name, Why("long-header"))
        with safe_open(path, framework="numpy") as weights:
            keys = weights.keys()
            if len(keys) > MAX_TENSORS:
                raise ModelCorrupt(name, path.name, Why("most-tensors", most=MAX_TENSORS))
            slices = {key: weights.get_slice(key) for key in keys}
            return {key: (each.get_dtype(), tuple(each.get_shape())) for key, each in slices.items()}
    except (SafetensorError, OSError) as error:
        raise ModelCorrupt(name, path.name, reason(error)) from error
