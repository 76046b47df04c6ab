"""`attnviz finetune` and `attnviz evaluate`: what is said before, what is refused, and what comes out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import DistilBertConfig, DistilBertModel

import attnviz
from attnviz.cli import main
from attnviz.errors import BaseUnfit
from attnviz.errors.base import Why
from attnviz.finetuning.plan import plan
from attnviz.huggingface.tuned import check_base
from attnviz.training import Run, all_runs
from attnviz.training.sweep.plan import grid
from attnviz.training.sweep.runner import Runner, make
from attnviz.view.run_header import run_header
from tests.finetuning.conftest import rows, table
from tests.refused import refused as refused_as
from tests.training.command_line import refused
from tests.training.test_sweep import AtOnce


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("id;review;stars\n" + "".join(f"{n};{text};{label}\n" for n, (text, label) in enumerate(rows())))
    return path


def test_from_a_table_to_a_folder_and_a_report(
    bert: Path, reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(reviews), "--text", "review", "--label", "stars"]
    training = ["--method", "last:1", "--steps", "4", "--batch", "4", "--probe", "not good", "--name", "mine"]
    out = tmp_path / "tuned"
    assert main(["finetune", str(bert), *data, *training, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "parameters are trained (last:1), 4 steps of 4" in said
    assert "the first 2 layers do not change" in said
    assert "data: 48 for train, 6 for validation, 6 for test" in said
    assert "done at step 4" in said
    assert "attention of encoder.0.self moved by 0.000" in said
    assert "accuracy" in said
    assert "without tuning, bag of words" in said
    assert attnviz.load_model(out).facts.kind == "BertForSequenceClassification"
    assert attnviz.load_model("run/mine").facts.kind == "BertForSequenceClassification"

    run = next(run for run in all_runs() if isinstance(run, Run))
    header = run_header(run)
    assert [site["name"] for site in header["sites"]] == [*run.timeline().weights(4)[0]]
    assert header["sequences"][0]["labels"]["encoder"][0] == "[CLS]"
    assert header["vocab"] == ["negative", "positive"]

    more = tmp_path / "more.jsonl"
    lines = [{"review": text, "stars": label} for text, label in [*rows(5, seed=1), ("a day", "unknown")]]
    more.write_text("\n".join(map(json.dumps, lines)))
    asked = ["evaluate", "mine", "--data", str(more), "--text", "review", "--label", "stars", "--no-baselines"]
    assert main([*asked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["n"], report["left_out"], report["step"]) == (5, 1, 4)
    assert main(asked) == 0
    assert "note: texts left out, whose labels the model does not know: 1" in capsys.readouterr().out


def test_many_settings_are_compared_as_one_group(bert: Path, reviews: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(reviews), "--text", "review", "--label", "stars", "--steps", "4", "--batch", "4"]
    tune = ["finetune", str(bert), *data, "--grid", "method=head,last:1,all", "--grid", "learning_rate=0.001,0.01"]
    assert "--out belongs to a single run" in refused([*tune, "--out", "folder"], capsys)
    assert "method=last:9, learning_rate=0.001 cannot be trained" in refused([*tune, "--grid", "method=last:9"], capsys)
    assert "method=some, learning_rate=0.001 cannot be trained" in refused([*tune, "--grid", "method=some"], capsys)
    assert f"attnviz finetune {bert} --data FILE --grid" in refused(["sweep", str(bert)], capsys)
    assert main([*tune, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "parameters are trained (all-but-embeddings), 4 steps of 4" in said
    assert "6 combinations of method, learning_rate with 1 seed: 6 runs" in said
    assert list(all_runs()) == []

    training = {"steps": 4, "batch_size": 4, "validate_every": 2}
    base = plan(str(bert), {"train": table(rows())}, training=training).config
    sweep, configs = grid(base, {"method": ["head", "last:1", "all"]}, halving=True)
    made = make(sweep, configs)
    runner = Runner(sweep, AtOnce())
    while not runner.advance():
        continue
    assert [run.config.model.method for run in made] == ["head", "last:1", "all"]  # type: ignore[union-attr]
    assert sorted(run.state().by for run in made) == ["", "", "halving"]


def test_what_may_be_wrong_is_said_before(bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, path, held = rows(), tmp_path / "data.csv", tmp_path / "test.csv"
    long = " ".join(["film"] * 50)
    path.write_text(table([*given, given[0], (given[1][0], "Positive"), (long, "positive")]))
    held.write_text(table([*given[:3], (f"{given[0][0].title()} !", given[0][1]), ("☃ ☂", "neutral")]))
    assert main(["finetune", str(bert), "--data", str(path), "--test", str(held), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "texts that stand there more than once: 2; equal ones are in the same part" in said
    assert "texts of validation and test that are also in the data to train on: 3" in said
    assert "texts of validation and test that are nearly one to train on (capitals, signs): 1" in said
    assert "texts of which the model knows no piece, so that all look alike to it: 1" in said
    assert "texts with more than one label: 1" in said
    assert "cut to 32 tokens: 1 of" in said
    assert "no text to train on has the label neutral" in said
    assert "labels that look alike: Positive, positive" in said
    assert list(all_runs()) == []


def test_what_cannot_be_learned_is_refused(bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, path = rows(), tmp_path / "data.csv"

    def refusal(content: str, *options: str) -> str:
        path.write_text(content)
        return refused(["finetune", str(bert), "--data", str(path), *options], capsys)

    assert "1 different label(s)" in refusal(table([(text, "one") for text, _ in given]))
    assert "1,000 different label(s)" in refusal(table([(f"day {n}", f"label {n}") for n in range(1000)]))
    assert "2 different texts" in refusal(table(given[:2]))
    assert "no column named stars" in refusal(table(given), "--label", "stars")
    assert "Line 3" in refusal(table([given[0], (given[1][0], " "), *given[2:]]))
    assert "method is some; it must be head" in refusal(table(given), "--method", "some")
    assert "method is last:4; it must be last:N with at most" in refusal(table(given), "--method", "last:4")
    assert "memory" in refusal(table(given), "--batch", "100000000")
    assert "U+DCFF" in refusal(table(given), "--probe", "\udcff")
    assert "cannot be fine-tuned here: it is not a model of the transformers library" in refused(
        ["finetune", "zoo/reverse", "--data", str(path)], capsys
    )
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        (bare / name).write_bytes((bert / name).read_bytes())
    path.write_text(table(given))
    assert "has no tokenizer" in refused(["finetune", str(bare), "--data", str(path)], capsys)
    packed = shutil.copytree(bert, tmp_path / "packed")
    stored = load_file(packed / "model.safetensors")
    codes = {key: value.to(torch.int8) if "query.weight" in key else value for key, value in stored.items()}
    save_file(codes, packed / "model.safetensors", {"format": "pt"})
    assert "its weights are quantised" in refused(["finetune", str(packed), "--data", str(path)], capsys)
    assert list(all_runs()) == []


def test_what_the_data_leave_open_is_asked_for_as_it_is_typed(
    bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.csv"
    for head, more in (("a,b", ""), ("text,text,label", ",x"), ("text,label,label", ",x")):
        path.write_text(f"{head}\n" + "".join(f"{text},{label}{more}\n" for text, label in rows()))
        assert "--text COLUMN and --label COLUMN" in refused(["finetune", str(bert), "--data", str(path)], capsys)
    path.write_bytes(table([(f"{text} café", label) for text, label in rows()]).encode("latin-1"))
    assert main(["finetune", str(bert), "--data", str(path), "--dry-run"]) == 0
    assert "was read as cp1252, which is likely but not certain" in capsys.readouterr().err


def test_bases_that_say_less_than_they_should(bert: Path, gpt2: Path, tmp_path: Path) -> None:
    """A pad or an end beyond the vocabulary is not used; LoRA knows queries and values where peft names none."""
    data = {"train": table(rows(20))}
    base = shutil.copytree(gpt2, tmp_path / "mine")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "pad_token_id": 9999, "eos_token_id": 9999}))
    assert vars(plan(str(base), data, method="last:1").task)["pad_id"] < 9999
    tokenizer = attnviz.load_model(bert).tokenizer  # type: ignore[union-attr]
    shape = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 32}
    DistilBertModel(DistilBertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(tmp_path / "distil")  # type: ignore[arg-type]
    tokenizer.save_pretrained(tmp_path / "distil")  # type: ignore[union-attr]
    assert plan(str(tmp_path / "distil"), data, method="lora").model.n_trained == 2 * 2 * 2 * 8 * 16 + 16 * 17 + 2 * 17


def test_weights_that_were_opened_as_codes_are_not_trained(bert: Path) -> None:
    """As bitsandbytes opens them: the network runs, and has no numbers to train."""
    model: Any = attnviz.load_model(bert)
    check_base(model)
    model.network.hf_quantizer = object()
    with refused_as(BaseUnfit("tiny-bert", Why("quantised"))):
        check_base(model)


def test_a_base_that_went_or_changed_is_named(
    bert: Path, reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = shutil.copytree(bert, tmp_path / "mine")
    data = ["--data", str(reviews), "--text", "review", "--label", "stars"]
    assert main(["finetune", str(base), *data, "--method", "head", "--steps", "2", "--name", "tuned"]) == 0
    capsys.readouterr()
    weights = base / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-4] + bytes(4))
    assert "mine has other weights now" in refused(["evaluate", "tuned"], capsys, 1)
    weights.write_bytes(content)
    assert main(["evaluate", "tuned", "--no-baselines"]) == 0
    capsys.readouterr()
    shutil.rmtree(base)
    for command in (["evaluate", "tuned"], ["trace", "run/tuned", "a good film"]):
        assert "began with the model mine, which is not there any more" in refused(command, capsys, 1)
