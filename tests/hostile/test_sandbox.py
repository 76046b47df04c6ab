"""What a stranger hands in is opened apart from the server: what it may cost, what it may reach, how it ends."""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from attnviz import errors
from attnviz.sandbox import STAGES, Sandbox, launch
from attnviz.server.handed_in import clear_left_over
from attnviz.server.uploads import UploadStore
from attnviz.zoo import zoo_path
from tests.hostile import generator
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
MB = 2**20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a tiny GPT-2."""
    folder = tmp_path_factory.mktemp("gpt2")
    BUILD["GPT-2"](vocab_size=300).save_pretrained(folder)
    byte_level().save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def store() -> Iterator[UploadStore]:
    store = UploadStore(lambda name: None)
    yield store
    store.close()


def put(store: UploadStore, files: dict[str, bytes]) -> str:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return store.put(made, "mine.zip").name


def changed(files: dict[str, bytes], name: str, **values: Any) -> dict[str, bytes]:
    return {**files, name: json.dumps({**json.loads(files[name]), **values}).encode()}


def rules(files: dict[str, bytes], **values: Any) -> dict[str, bytes]:
    """The same model with other rules in its tokenizer."""
    return changed(files, "tokenizer.json", **values)


def test_a_whole_model_passes_once_and_its_tokenizer_reads(store: UploadStore, whole: dict[str, bytes]) -> None:
    name = put(store, whole)
    told: list[str] = []
    store.examine(name, told.append)
    assert told == list(STAGES)
    store.examine(name, told.append)
    assert told == list(STAGES)
    store.read(name, ("the cat", None), ("你好", "x"))
    sandbox = store.get(name).sandbox  # type: ignore[union-attr]
    assert sandbox.alive
    sandbox.close()
    store.read(name, ("the cat sat", None))  # it starts again, with the tokenizer alone
    assert sandbox.alive
    store.drop(name)
    assert not sandbox.alive


def test_one_of_our_own_passes_and_needs_no_process_afterwards(store: UploadStore) -> None:
    name = put(store, {path.name: path.read_bytes() for path in zoo_path("sort").iterdir()})
    store.examine(name)
    assert not store.get(name).sandbox.alive  # type: ignore[union-attr]
    store.read(name, ("whatever", None))


@pytest.mark.parametrize(
    "values",
    [
        {"n_layer": 1_000_000},
        {"n_embd": 2**16},
        {"n_positions": 10**8},
        {"vocab_size": 10**9},
        {"n_layer": 1025},
        {"n_inner": 10**9},
    ],
    ids=str,
)
def test_sizes_that_the_weights_do_not_hold_cost_nothing(
    values: dict[str, Any], store: UploadStore, whole: dict[str, bytes]
) -> None:
    name = put(store, changed(whole, "config.json", **values))
    with pytest.raises(errors.ModelMismatch) as caught:
        store.examine(name)
    assert caught.value.details["name"] == "mine"


def replace(find: str, content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": find}, "content": content}


def test_a_tokenizer_that_grows_every_text_is_refused(store: UploadStore, whole: dict[str, bytes]) -> None:
    grows = {"type": "Sequence", "normalizers": [replace("a", "a" * 1000)] * 4}
    with pytest.raises((errors.UploadMemory, errors.UploadSlow)):
        store.examine(put(store, rules(whole, normalizer=grows)))


def test_a_tokenizer_that_grows_one_text_is_stopped_there(store: UploadStore, whole: dict[str, bytes]) -> None:
    grows = {"type": "Sequence", "normalizers": [replace("Ω", "Ω" * 1000)] * 4}
    name = put(store, rules(whole, normalizer=grows))
    store.examine(name)
    before = psutil.Process().memory_info().rss
    with pytest.raises(errors.UploadText, match="mine"):
        store.read(name, ("Ω", None))
    assert psutil.Process().memory_info().rss - before < 100 * MB
    store.read(name, ("the cat", None))


def with_template(files: dict[str, bytes], template: str) -> dict[str, bytes]:
    return {**files, "chat_template.jinja": template.encode()}


def test_a_chat_template_is_run_in_the_sandbox(store: UploadStore, whole: dict[str, bytes]) -> None:
    name = put(store, with_template(whole, "user: {{ messages[0]['content'] }} 🙂"))
    store.examine(name)
    assert store.render(name, "the cat") == "user: the cat 🙂"
    store.read(name, ("the cat", None))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for i in range(99999) %}{% for i in range(99999) %}{% endfor %}{% endfor %}", "too much time or memory"),
        ("{{ 'x' * 10**11 }}", "too much time or memory"),
        ("{{ messages[0]['content'] * 10000 }}", "makes 70,000 characters of this text, and the limit is 65,536"),
        ("{{ raise_exception('one at a time') }}", "one at a time"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ '\\ud800' }}", "U+D800"),
        ("{% if %}", "Expected an expression"),
    ],
)
def test_a_chat_template_is_bounded(
    template: str, said: str, store: UploadStore, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attnviz.sandbox.process.READ_SECONDS", 2)
    name = put(store, with_template(whole, template))
    before = psutil.Process().memory_info().rss
    with pytest.raises(errors.TemplateFailed, match=re.escape(said)) as caught:
        store.render(name, "the cat")
    assert len(str(caught.value).splitlines()) == 1
    assert psutil.Process().memory_info().rss - before < 100 * MB


def test_a_decoder_that_grows_what_a_model_writes_is_refused(store: UploadStore, whole: dict[str, bytes]) -> None:
    grows = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, *[replace("Ω", "ΩΩ")] * 30]}
    with pytest.raises(errors.UploadGrows, match="mine"):
        store.examine(put(store, rules(whole, decoder=grows)))


def test_a_token_without_end_is_refused(store: UploadStore, whole: dict[str, bytes]) -> None:
    model = json.loads(whole["tokenizer.json"])["model"]
    model["vocab"]["x" * 100_000] = len(model["vocab"])
    with pytest.raises((errors.UploadGrows, errors.TokenizerMismatch)):
        store.examine(put(store, rules(whole, model=model)))


def test_a_panic_of_a_tokenizer_is_said(store: UploadStore, whole: dict[str, bytes]) -> None:
    broken = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "?", "type_id": 0}}], "pair": []}
    with pytest.raises(errors.AttnvizError) as caught:
        store.examine(put(store, rules(whole, post_processor={**broken, "special_tokens": {}})))
    assert len(str(caught.value).splitlines()) == 1


def test_a_large_vocabulary_is_refused_by_its_size(store: UploadStore, whole: dict[str, bytes]) -> None:
    with pytest.raises(errors.UploadFileSize, match=r"tokenizer\.json"):
        put(store, {**whole, "tokenizer.json": b" " * (33 * MB)})
    with pytest.raises(errors.UploadFileSize, match=r"config\.json"):
        put(store, {**whole, "config.json": b" " * (5 * MB)})


@pytest.mark.parametrize("key", ["vocab_file", "tokenizer_file", "merges_file", "vocab", "gguf_file", "init_inputs"])
def test_a_tokenizer_does_not_read_elsewhere(
    key: str, store: UploadStore, whole: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "secret.json").write_text('{"secret": 0}')
    name = put(store, changed(whole, "tokenizer_config.json", **{key: str(tmp_path / "secret.json")}))
    kept = (store.get(name).folder / "tokenizer_config.json").read_text()  # type: ignore[union-attr]
    assert "secret" not in kept
    store.examine(name)


@pytest.mark.parametrize(
    "values",
    [
        {"model_type": "detr", "architectures": ["DetrForObjectDetection"], "backbone": "resnet50"},
        {"model_type": "upernet", "architectures": ["UperNetForSemanticSegmentation"], "backbone": "org/none"},
        {"model_type": "dpt", "architectures": ["DPTForDepthEstimation"], "backbone": "org/none", "is_hybrid": True},
    ],
    ids=lambda values: str(values["model_type"]),
)
def test_a_backbone_from_elsewhere_is_not_fetched(
    values: dict[str, Any], store: UploadStore, whole: dict[str, bytes]
) -> None:
    asks = {"use_pretrained_backbone": True, "use_timm_backbone": False, "backbone_config": None}
    config = json.dumps({**values, **asks}).encode()
    with pytest.raises(errors.AttnvizError) as caught:
        store.examine(put(store, {**whole, "config.json": config}))
    assert len(str(caught.value).splitlines()) == 1


def test_how_a_model_generates_is_for_the_server_to_say(store: UploadStore, whole: dict[str, bytes]) -> None:
    endless = {"num_return_sequences": 10**6, "custom_generate": "org/none", "cache_implementation": "static"}
    name = put(store, changed(whole, "generation_config.json", **endless, eos_token_id=2, suppress_tokens=[1]))
    kept = json.loads((store.get(name).folder / "generation_config.json").read_text())  # type: ignore[union-attr]
    assert not endless.keys() & kept.keys()
    assert (kept["eos_token_id"], kept["suppress_tokens"]) == (2, [1])
    store.examine(name)


@pytest.mark.parametrize("number", range(16))
def test_changed_models_pass_or_are_refused_in_words(number: int, store: UploadStore, whole: dict[str, bytes]) -> None:
    rng = random.Random(number)
    file = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")[number % 4]
    damaged = generator.damaged(rng, whole[file])
    try:
        name = put(store, {**whole, file: damaged})
        store.examine(name)
        store.read(name, ("the cat", None), ("", "x"))
    except errors.AttnvizError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017
        assert not isinstance(error, errors.OwnFault)  # noqa: PT017


TRIES = {
    "connect": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "name": "import socket; socket.getaddrinfo('huggingface.co', 443)",
    "datagram": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "download": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    "program": "import subprocess; subprocess.run(['true'])",
    "shell": "import os; os.system('true')",
    "fork": "import os; os.fork()",
    "file": "open(outside)",
    "listing": "import os; os.listdir(os.path.dirname(outside))",
    "writing": "open(inside, 'w')",
    "deleting": "import os; os.remove(inside)",
    "link": "import os; open(link)",
}


def test_the_sandbox_is_sealed(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.txt").write_text("inside")
    (tmp_path / "secret.txt").write_text("outside")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    code = f"""
import json, os, socket, subprocess, urllib.request
from pathlib import Path
from attnviz.sandbox.seal import seal
tried = seal(Path({str(folder)!r}))
inside, outside, link = {str(folder / "a.txt")!r}, {str(tmp_path / "secret.txt")!r}, {str(folder / "link.txt")!r}
assert open(inside).read() == "inside"
assert not tried, tried
for what, code in {TRIES!r}.items():
    before = len(tried)
    try:
        exec(code)
        print(what, "done")
    except OSError as error:
        print(what, "refused" if len(tried) > before and "not allowed" in str(error) else error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert dict(line.split(" ", 1) for line in done.stdout.splitlines()) == dict.fromkeys(TRIES, "refused")
    assert (folder / "a.txt").read_text() == "inside"


def test_a_process_that_dies_is_said_and_another_takes_its_place(store: UploadStore, whole: dict[str, bytes]) -> None:
    name = put(store, whole)
    store.examine(name)
    sandbox = store.get(name).sandbox  # type: ignore[union-attr]
    assert sandbox._process is not None
    sandbox._process.process.kill()
    sandbox._process.process.wait()
    store.read(name, ("the cat", None))
    if launch.FORKS:
        assert launch._template is not None
        launch._template[0].kill()
        launch._template[0].wait()
    sandbox.close()
    store.read(name, ("the cat", None))


def test_whoever_goes_away_leaves_no_process(store: UploadStore, whole: dict[str, bytes]) -> None:
    name = put(store, whole)

    def go(stage: str) -> None:
        if stage == "running":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.examine(name, go)
    assert not store.get(name).sandbox.alive  # type: ignore[union-attr]
    store.examine(name)


def test_what_a_killed_server_left_is_deleted_and_what_a_living_one_has_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = UploadStore(lambda name: None)
    put(living, {"config.json": b"{}"})
    code = """
import io, os, signal, zipfile
from attnviz.server.uploads import UploadStore
made = io.BytesIO()
with zipfile.ZipFile(made, "w") as archive:
    archive.writestr("config.json", "{}")
store = UploadStore(lambda name: None)
store.put(made, "a.zip")
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (tmp_path / "attnviz-uploads-other").mkdir()  # no lock: being made just now
    assert len(list(tmp_path.glob("attnviz-uploads-*"))) == 3
    clear_left_over()
    assert len(list(tmp_path.glob("attnviz-uploads-*"))) == 2
    assert len(living) == 1
    living.close()
    assert [path.name for path in tmp_path.iterdir()] == ["attnviz-uploads-other"]


def test_memory_is_watched_where_the_system_does_not_hold_it(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS and Windows: the process sets no limit, the server sees what it takes."""
    for name, content in rules(whole, normalizer=None).items():
        (tmp_path / name).write_bytes(content)
    sandbox = Sandbox(tmp_path, "mine", 0)
    sandbox.examine()
    sandbox.memory = 1
    with pytest.raises(errors.UploadMemory):
        sandbox._watch()
    sandbox.close()
