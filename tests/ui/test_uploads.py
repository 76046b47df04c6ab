"""Models handed in as zip files: what is taken, what is refused, and what is kept."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from attnviz import errors
from attnviz.sandbox.upload import KINDS, MAX_FILES, unpack
from attnviz.server.uploads import UPLOAD_LIMIT, UploadStore, is_upload, upload_limit

MB = 2**20
CONFIG = {"config.json": b"{}"}


def zipped(files: dict[str, bytes], **attributes: int) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            for key, value in attributes.items():
                setattr(member, key, value)
            archive.writestr(member, content)
    return made


def refused(file: io.BytesIO, tmp_path: Path, error: type[errors.UploadError], max_bytes: int = MB) -> str:
    folder = tmp_path / "made"
    with pytest.raises(error) as caught:
        unpack(file, "a.zip", folder, max_bytes)
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []
    return str(caught.value)


@pytest.mark.parametrize("inside", ["", "my-model/"])
def test_the_files_of_one_folder_are_unpacked(inside: str, tmp_path: Path) -> None:
    files = {"config.json": b"{}", "model.safetensors": b"x" * 1000, "chat_template.jinja": b"hi", "vocab.txt": b"a"}
    size = unpack(zipped({inside + name: each for name, each in files.items()}), "a.zip", tmp_path / "made", MB)
    assert {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()} == files
    assert size == sum(map(len, files.values()))


def test_what_systems_put_beside_is_left_out(tmp_path: Path) -> None:
    files = {"m/config.json": b"{}", "__MACOSX/m/._config.json": b"?", "m/.DS_Store": b"?"}
    unpack(zipped(files), "a.zip", tmp_path / "made", MB)
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    "path",
    [
        "../config.json",
        "/config.json",
        "a/../../config.json",
        "a/b/config.json",
        "C:/config.json",
        "..\\config.json",
        "a/.hidden.json",
        "./../x.json",
        "a\nb.json",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: str, tmp_path: Path) -> None:
    assert path.replace("\n", "\\n") in refused(zipped({**CONFIG, path: b"{}"}), tmp_path, errors.UploadPath)


def test_folders_side_by_side_are_refused(tmp_path: Path) -> None:
    refused(zipped({"a/config.json": b"{}", "b/other.json": b"{}"}), tmp_path, errors.UploadPath)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("config.json", "{}")
    refused(file, tmp_path, errors.UploadPath)


def test_links_are_refused(tmp_path: Path) -> None:
    attributes = (stat.S_IFLNK | 0o777) << 16
    refused(zipped({"config.json": b"/etc/passwd"}, external_attr=attributes), tmp_path, errors.UploadPath)


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    said = refused(zipped({**CONFIG, "pytorch_model.bin": b"", "run.py": b""}), tmp_path, errors.UploadFileKind)
    assert "'pytorch_model.bin', 'run.py'" in said
    assert all(kind in said for kind in KINDS)


def test_a_file_without_a_model_is_refused(tmp_path: Path) -> None:
    refused(zipped({"tokenizer.json": b"{}"}), tmp_path, errors.UploadNoModel)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    files = CONFIG | {f"{n}.json": b"" for n in range(MAX_FILES)}
    assert str(MAX_FILES) in refused(zipped(files), tmp_path, errors.UploadTooMany)


def test_an_endless_list_of_files_is_not_read(tmp_path: Path) -> None:
    refused(zipped({f"{n:0100}.json": b"" for n in range(15_000)}), tmp_path, errors.UploadNotZip, 100 * MB)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    refused(io.BytesIO(b"PK" + b"x" * MB), tmp_path, errors.UploadTooLarge)


def test_a_bomb_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    refused(zipped({**CONFIG, "model.safetensors": b"\0" * (3 * MB)}), tmp_path, errors.UploadTooLarge)


def test_a_bomb_that_lies_about_its_size_writes_no_more_than_it_says(tmp_path: Path) -> None:
    content = zipped({"config.json": b"\0" * (3 * MB)}).getvalue()
    honest, lie = struct.pack("<I", 3 * MB), struct.pack("<I", 10)
    assert content.count(honest) >= 1
    refused(io.BytesIO(content.replace(honest, lie)), tmp_path, errors.UploadNotZip)


@pytest.mark.parametrize("end", [0, 4, 60, -30, -1])
def test_damaged_files_are_refused(end: int, tmp_path: Path) -> None:
    content = zipped({**CONFIG, "model.safetensors": bytes(range(256)) * 40}).getvalue()
    refused(io.BytesIO(content[:end]), tmp_path, errors.UploadNotZip)


def test_damage_in_the_middle_is_seen(tmp_path: Path) -> None:
    content = bytearray(zipped({**CONFIG, "model.safetensors": bytes(range(256)) * 40}).getvalue())
    content[120] ^= 0xFF
    refused(io.BytesIO(bytes(content)), tmp_path, errors.UploadNotZip)


def test_encrypted_and_strangely_compressed_files_are_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(CONFIG).getvalue())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    refused(io.BytesIO(bytes(content)), tmp_path, errors.UploadNotZip)
    strange = io.BytesIO()
    with zipfile.ZipFile(strange, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("config.json", "{}")
    refused(strange, tmp_path, errors.UploadNotZip)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    file = zipped(CONFIG)
    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    assert "No space left" in refused(file, tmp_path, errors.UploadUnwritable)


def test_names_cannot_be_guessed_and_replaced_ones_go() -> None:
    gone: list[str] = []
    store = UploadStore(gone.append)
    first, second = (store.put(zipped(CONFIG), "my model.zip") for _ in range(2))
    assert is_upload(first.name)
    assert first.name != second.name
    assert first.title == "my model"
    assert store.get(first.name) is first
    store.drop(first.name)
    assert store.get(first.name) is None
    assert not first.folder.exists()
    assert gone == [first.name]
    store.drop(first.name)
    assert gone == [first.name]


def test_together_they_are_bounded_and_the_least_used_goes() -> None:
    gone: list[str] = []
    store = UploadStore(gone.append, max_bytes=2500)
    a, b = (store.put(zipped({**CONFIG, "x.txt": b"x" * 1000}), f"{n}.zip") for n in range(2))
    store.get(a.name)
    c = store.put(zipped({**CONFIG, "x.txt": b"x" * 1000}), "c.zip")
    assert gone == [b.name]
    large = store.put(zipped({**CONFIG, "x.txt": b"x" * 5000}), "large.zip")
    assert gone == [b.name, a.name, c.name]
    assert len(store) == 1
    assert large.folder.exists()


def test_when_the_server_ends_nothing_is_left() -> None:
    store = UploadStore(lambda name: None)
    upload = store.put(zipped(CONFIG), "a.zip")
    store.close()
    assert not upload.folder.parent.exists()
    assert len(store) == 0
    UploadStore(lambda name: None).close()


def test_the_operator_sets_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert upload_limit() == 500
    monkeypatch.setenv(UPLOAD_LIMIT, "1")
    assert upload_limit() == 1
    with pytest.raises(errors.UploadTooLarge):
        UploadStore(lambda name: None).put(io.BytesIO(b"x" * (MB + 1)), "a.zip")
    monkeypatch.setenv(UPLOAD_LIMIT, "much")
    assert upload_limit() == 500


@pytest.mark.parametrize("name", ["upload/", "upload/" + "a" * 31, "upload/../" + "a" * 32, "upload/" + "G" * 32])
def test_other_texts_are_no_names(name: str) -> None:
    assert not is_upload(name)
