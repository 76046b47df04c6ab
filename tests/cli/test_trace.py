"""`attnviz trace`: the table, JSON, files, and what cannot be traced."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image

import attnviz
from attnviz.attention import Mask
from attnviz.cli import main
from attnviz.cli.head import as_json, as_table
from attnviz.cli.text import width
from attnviz.trace import ProofEntry, Trace
from attnviz.zoo import zoo
from tests.huggingface.architectures import ARCHITECTURES
from tests.training.command_line import refused

REVERSE = ["trace", "zoo/reverse", "g f e d c"]


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main([*arguments]) == 0
    streams = capsys.readouterr()
    assert streams.err == ""
    return streams.out.splitlines()


def test_a_head_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, *REVERSE, "--layer", "1", "--head", "1")
    weights = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c").site("encoder.1.self").weights(1)
    assert lines[0] == "Reverse a sequence: encoder, 59,981 parameters"
    assert lines[1] == "encoder.1.self, head 1: 6 queries (rows), 6 keys (columns)"
    assert lines[3].split() == ["0", "1", "2", "3", "4", "5"]
    assert lines[4].split() == ["g", "f", "e", "d", "c", "<eos>", "reads", "most"]
    table = [line.split() for line in lines[5:11]]
    assert [row[:2] for row in table] == [[str(i), token] for i, token in enumerate([*"gfedc", "<eos>"])]
    for row, numbers in zip(table, weights.tolist(), strict=True):
        assert [0.0 if cell == "<.001" else float(cell) for cell in row[2:8]] == pytest.approx(numbers, abs=0.0005)
        assert row[8:] == [
            f"{max(numbers):.3f}",
            str(numbers.index(max(numbers))),
            table[numbers.index(max(numbers))][1],
        ]
    error = float(lines[12].removeprefix("Largest error of the proof: ").split(",")[0])
    assert 0 < error < 1e-5
    assert lines[13] == "Output: c d e f g"  # nothing at <eos>, which has no answer
    assert lines[14] == "Other heads: --head 0 to 1, --layer 0 to 1"


def test_what_the_mask_hides_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "trace", "zoo/sort", "c a b >")
    assert [line.count("·") for line in lines[5:9]] == [3, 2, 1, 0]
    assert "· stands for a key that the mask hides." in lines


def test_columns_stand_below_each_other_in_any_script(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "trace", "zoo/chinese", "小猫和小狗")
    assert lines[4].split()[:6] == ["<bos>", "小", "猫", "和", "小", "狗"]
    ends = [width(line[: line.rindex("  1.000" if "  1.000" in line else "  0.")]) for line in lines[5:11]]
    assert set(ends) == {width(lines[4].removesuffix("  reads most"))}


@pytest.mark.parametrize(
    ("model", "text", "kind", "line"),
    [
        ("sentiment-en", "the film was very good", "label", "Label: "),
        ("sort", "c a b >", "next", "Next token: a "),
        ("reverse", "a b c", "same", "Output: c b a"),
        ("entities", "May Keller moved to Jordan in May", "labels", "Output: B-PER I-PER O O B-LOC O B-TIME"),
    ],
)
def test_the_answer_is_told(model: str, text: str, kind: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    trace = attnviz.trace(attnviz.load_model(model), text)
    lines = output(capsys, "trace", model, text)
    assert [each.startswith(line) if line.endswith(" ") else each == line for each in lines].count(True) == 1
    (values,) = output(capsys, "trace", model, text, "--json")
    answer = json.loads(values)["outputs"]
    ids, probabilities = trace.top_outputs(5)
    assert answer["kind"] == kind
    specials = trace.sequences[trace.main].specials
    for place in answer["places"]:
        assert kind == "next" or place["position"] not in specials
        row = place["position"] or 0
        assert [best["id"] for best in place["best"]] == ids[row].tolist()
        assert [best["probability"] for best in place["best"]] == pytest.approx(probabilities[row].tolist())


def test_a_forecast_is_told_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    text = next(entry for entry in zoo() if entry.name == "series").example
    assert isinstance(text, str)
    trace = attnviz.trace(attnviz.load_model("series"), text)
    (values,) = output(capsys, "trace", "series", text, "--json")
    assert json.loads(values)["outputs"] == {"kind": "values", "values": trace.logits.tolist()}
    (line,) = [line for line in output(capsys, "trace", "series", text) if line.startswith("Output: ")]
    assert [float(number) for number in line.split()[1:]] == pytest.approx(trace.logits.flatten().tolist(), rel=0.006)


@pytest.mark.parametrize("size", [60, 80, 200])
def test_a_wide_head_is_cut_to_the_terminal(
    size: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(size))
    lines = output(capsys, "trace", "zoo/dates", "3rd of March 2021", "--kind", "cross")
    rows = lines[4:17]
    assert max(map(width, rows)) <= size
    count = len(rows[0].split())
    note = f"Only the first {count} of 17 keys fit: widen the terminal, or take all with --json, --npz FILE or"
    assert [line.startswith(note) for line in lines].count(True) == (count < 17)
    assert (count == 17) == (size == 200)


def test_the_strongest_key_is_told_where_it_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "trace", "zoo/dates", "3rd of March 2021", "--kind", "cross")
    weights = attnviz.trace(attnviz.load_model("zoo/dates"), "3rd of March 2021").site("decoder.0.cross").weights(0)
    assert [int(line.split()[-2]) for line in lines[6:17]] == weights.argmax(dim=1).tolist()
    assert "target (written by the model): 2021-03-03" in lines


def table(trace: Trace, mask: Mask) -> list[str]:
    return as_table(trace, replace(trace.sites[0], mask=mask), 0, 80)


def test_rows_without_any_key_read_none() -> None:
    trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "a b")
    lines = table(trace, Mask(keys=torch.tensor([False, False, False])))
    assert [line.split()[2:] for line in lines[5:8]] == [["·", "·", "·", "none"]] * 3


def test_proofs_that_fail_or_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "a b")
    bad = [ProofEntry("one", 0.5, 0.1), ProofEntry("two", float("nan"), float("nan"))]
    for proof, line, largest in ((bad, "Largest error of the proof: nan, in two", None), (bad[:1], "0.5, in one", 0.5)):
        monkeypatch.setattr(Trace, "proof", lambda self, proof=proof: proof)
        assert line in "\n".join(table(trace, Mask()))
        assert json.loads(json.dumps(as_json(trace, trace.sites[0], 0), allow_nan=False))["largest_error"] == largest
    monkeypatch.setattr(Trace, "proof", lambda self: [])
    assert "There is no proof for this model." in table(trace, Mask())
    assert as_json(trace, trace.sites[0], 0)["largest_error"] is None


def test_json_holds_every_number_of_the_head(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = output(capsys, "trace", "zoo/sort", "c a b >", "--json")
    values = json.loads(line)
    trace = attnviz.trace(attnviz.load_model("zoo/sort"), "c a b >")
    site = trace.sites[0]
    assert values["model"]["name"] == "sort"
    assert values["tokens"] == {"decoder": ["c", "a", "b", ">"]}
    assert (values["site"]["name"], values["site"]["causal"]) == ("decoder.0.self", True)
    assert (values["layer"], values["head"], values["text"], values["target"]) == (0, 0, "c a b >", None)
    for name, expected in {"q": site.q[0], "k": site.k[0], "v": site.v[0], **site.chain(0)._asdict()}.items():
        assert expected is not None
        given = np.array([[-np.inf if x is None else x for x in row] for row in values[name]], np.float32)
        np.testing.assert_array_equal(given, expected.numpy(), err_msg=name)
    assert values["masked"][0][1:] == [None] * 3
    assert values["proof"][0]["name"] == "decoder.0.self"
    assert 0 < values["largest_error"] < 1e-5


def test_all_numbers_go_into_the_file_that_was_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "numbers"
    assert output(capsys, *REVERSE, "--npz", str(file)) == [f"written to {file}"]
    with np.load(file) as arrays:
        assert arrays["encoder.1.self/weights"].shape == (2, 6, 6)


def test_the_interactive_view_opens_with_the_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[object] = []

    def to_html(trace: Trace, path: Path, heads: object) -> Path:
        written.extend((trace.text, path, heads))
        return path

    monkeypatch.setattr("attnviz.view.standalone.to_html", to_html)
    file = tmp_path / "view.html"
    assert output(capsys, *REVERSE, "--layer", "1", "--html", str(file)) == [f"written to {file}"]
    assert written == ["g f e d c", file, [("encoder.1.self", 0)]]


def test_a_text_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("g f e d c\n"))
    assert output(capsys, "trace", "zoo/reverse", "-") == output(capsys, *REVERSE)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_text_that_is_no_text(
    encoding: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9"), encoding))
    assert refused(["trace", "zoo/reverse", "-"], capsys).startswith("the text is no UTF-8: ")
    assert refused(["trace", "zoo/reverse", "caf\udce9"], capsys).startswith("the text is no UTF-8: ")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["zoo/none", "a"], 1, "zoo/none cannot be opened: a model of that name not found"),
        (["run/none@1", "a"], 1, "There is no run none"),
        (["zoo/reverse", "Z"], 1, "This model does not know 'Z'."),
        (["zoo/reverse", " "], 1, "The text is empty."),
        (["zoo/reverse", "a", "--target", "b"], 1, "This model (encoder) reads one text only."),
        (
            ["zoo/reverse", "a", "--layer", "2"],
            2,
            "no attention at layer 2; there is encoder self-attention in layer 0, 1",
        ),
        (["zoo/reverse", "a", "--kind", "cross"], 2, "kind 'cross'"),
        (["zoo/reverse", "a", "--head", "2"], 2, "--head 2: encoder.0.self has the heads 0 to 1"),
        (["zoo/reverse", "a", "--npz", "x", "--head", "0"], 2, "--npz holds all heads: leave out --layer, --head"),
        (["zoo/reverse", "a", "--npz", "/no/such/x"], 1, "No such file or directory"),
    ],
)
def test_what_cannot_be_traced(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(["trace", *arguments], capsys, code)


def test_a_decoder_reads_the_target(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "trace", "zoo/dates", "3rd of March 2021", "--target", "2021", "--stack", "encoder")
    assert lines[1:3] == ["target: 2021", "encoder.0.self, head 0: 17 queries (rows), 17 keys (columns)"]
    assert lines[-1] == "Other heads: --head 0 to 3, --stack encoder or decoder, --kind self or cross"


def test_models_of_transformers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    swin = next(a for a in ARCHITECTURES if a.name == "Swin").build()
    swin.save_pretrained(tmp_path / "swin")
    hf.ViTImageProcessorPil(size=32).save_pretrained(tmp_path / "swin")
    Image.effect_noise((40, 40), 90).save(tmp_path / "noise.png")
    command = ["trace", str(tmp_path / "swin"), str(tmp_path / "noise.png"), "--layer", "1", "--part", "3"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "encoder.1.self.w3" in printed
    assert "--part 0 to 3" in printed
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["site"]["part"], len(found["weights"]), found["model"]["kind"]) == (
        3,
        16,
        "SwinForImageClassification",
    )
    assert main([*command[:-1], "9"]) == 2
    assert main(["trace", str(tmp_path / "swin"), "no such image"]) == 1
    assert "does not exist" in capsys.readouterr().err.splitlines()[-1]


def test_the_image_of_a_model_that_reads_and_sees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "zoo/sort", "a b", "--image", "cat.png"]) == 1
    assert "reads text only" in capsys.readouterr().err
