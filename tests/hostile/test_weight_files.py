"""The weights of a model lie in its own folder, whatever its index says."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from attnviz import errors
from attnviz.library import model_folder
from attnviz.models.weight_files import MAX_HEADER, SHARDS_FILE, shapes_in, stored_parameters, weight_files
from attnviz.ui.models.outline import outline_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model in two shards, beside files that are none of its business."""
    save_file({"secret": np.ones(3, np.float32)}, tmp_path / "secret.safetensors")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    for n in range(2):
        save_file({f"w{n}": np.ones((2, n + 1), np.float32)}, folder / f"model-{n}.safetensors")
    (folder / "config.json").write_text('{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}')
    index(folder, {"w0": "model-0.safetensors", "w1": "model-1.safetensors"})
    return folder


def index(folder: Path, weight_map: object) -> None:
    (folder / SHARDS_FILE).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_shards_are_found_and_counted(folder: Path) -> None:
    assert [path.name for path in weight_files(folder)] == ["model-0.safetensors", "model-1.safetensors"]
    assert stored_parameters(folder) == 6


@pytest.mark.parametrize(
    "file",
    [
        "../../secret.safetensors",
        "ABSOLUTE",
        "sub/../../../secret.safetensors",
        "..\\secret.safetensors",
        "C:\\secret.safetensors",
        "C:secret.safetensors",
        "..",
        "",
        ".",
        "model-0.safetensors\0",
        "config.json",
        "model.bin",
        "x" * 300 + ".safetensors",
        1,
        None,
        ["model-0.safetensors"],
        {},
    ],
)
def test_an_index_that_names_something_else_is_not_followed(file: object, folder: Path) -> None:
    name = str(folder.parent.parent / "secret.safetensors") if file == "ABSOLUTE" else file
    index(folder, {"w0": "model-0.safetensors", "secret": name})
    with pytest.raises(errors.ModelCorrupt):
        weight_files(folder)
    found = model_folder(folder)
    assert isinstance(found.problem, errors.ModelCorrupt)
    assert outline_of(found).n_parameters is None


@pytest.mark.parametrize("content", ["[]", "{", '{"weight_map": []}', '{"weight_map": {}}', '{"weight_map": 3}', "{}"])
def test_an_index_that_is_none_is_said(content: str, folder: Path) -> None:
    (folder / SHARDS_FILE).write_text(content)
    with pytest.raises(errors.ModelCorrupt):
        weight_files(folder)


def test_a_header_is_measured_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", MAX_HEADER + 1) + b'{"a":')
        os.truncate(file.fileno(), 2 * MAX_HEADER)
    with pytest.raises(errors.ModelCorrupt, match="too long"):
        shapes_in(path)
