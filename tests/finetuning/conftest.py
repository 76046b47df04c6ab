"""Small pretrained models to begin with, and the folder where runs go."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model
from transformers.utils import logging

from attnviz.huggingface.tuned import TunedNetwork
from tests.huggingface.tokenizers import byte_level, word_piece

STRING = ' t="str"'  # of a workbook's cell
WORDS = ("good", "fine", "bad", "poor", "film", "book", "day", "the", "a", "was", "not", "very")


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs of a test go to a folder of its own; commands set the number of threads, which others must not notice."""
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    level, threads = logging.get_verbosity(), torch.get_num_threads()
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    yield tmp_path / "runs"
    torch.set_num_threads(threads)
    logging.set_verbosity(level)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of three layers with random weights."""
    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    tokenizer = word_piece((" ".join(WORDS),))
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=32, **shape)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of two layers with random weights."""
    folder = tmp_path_factory.mktemp("models") / "tiny-gpt2"
    tokenizer = byte_level((" ".join(WORDS),))
    torch.manual_seed(0)
    GPT2Model(GPT2Config(vocab_size=len(tokenizer), n_positions=32, n_embd=16, n_layer=2, n_head=2)).save_pretrained(
        folder
    )
    tokenizer.save_pretrained(folder)
    return folder


def rows(n: int = 60, seed: int = 0) -> list[tuple[str, str]]:
    """Different texts, "positive" where the opinion is."""
    drawn = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < n:
        opinion = drawn.choice(WORDS[:4])
        words = [*drawn.choices(WORDS[4:9], k=3), opinion, *drawn.choices(WORDS[4:9], k=2)]
        found[" ".join(words)] = "positive" if opinion in ("good", "fine") else "negative"
    return list(found.items())


def table(given: list[tuple[str, str]]) -> str:
    """The same as CSV."""
    return "text,label\n" + "".join(f"{text},{label}\n" for text, label in given)


def frozen(network: TunedNetwork) -> dict[str, torch.Tensor]:
    """Parameters that training leaves alone."""
    return {name: p.detach().clone() for name, p in network.named_parameters() if not p.requires_grad}


def workbook(rows: list[list[str | int]], more: str = "", others: tuple[str, ...] = ()) -> bytes:
    """The least that a workbook is; `more` is the XML of further rows, `others` are empty sheets in front, hidden."""
    cells = "".join(
        f'<row r="{n}">'
        + "".join(
            f'<c r="{chr(65 + place)}{n}"{"" if isinstance(value, int) else STRING}><v>{value}</v></c>'
            for place, value in enumerate(row)
        )
        + "</row>"
        for n, row in enumerate(rows, 1)
    )
    space = "http://schemas.openxmlformats.org"
    kind, sheet = f"{space}/officeDocument/2006/relationships", f"{space}/spreadsheetml/2006/main"
    relation = f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="r1" Type="{kind}/'
    hidden = "".join(
        f'<sheet name="{name}" sheetId="{n}" state="hidden" r:id="r1"/>' for n, name in enumerate(others, 2)
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{space}/package/2006/content-types"/>',
        "_rels/.rels": f'{relation}officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{sheet}" xmlns:r="{kind}"><sheets>{hidden}'
        '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{relation}worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{sheet}"><sheetData>{cells}{more}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()
