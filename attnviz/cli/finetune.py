"""`attnviz finetune` and `attnviz evaluate`: a model of the transformers library on texts of one's own."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from attnviz.analysis.scores import Interval, rounded
from attnviz.cli.common import (
    SUCCESS,
    WHERE,
    CommandError,
    Commands,
    UsageError,
    add_command,
    not_negative,
    one_line,
    positive,
)
from attnviz.cli.pairs import evaluate_pairs
from attnviz.cli.sweep import add_settings, train_all
from attnviz.cli.text import columns, printable, shorten
from attnviz.cli.train import file_notes, prepare, record_run
from attnviz.errors import ConfigError, DataEncodingUnclear, DataUnclear, InputError, ModelLoadError
from attnviz.loading import find_run
from attnviz.locale import told
from attnviz.tasks.base import Split
from attnviz.tasks.own.readers.decoding import ENCODINGS
from attnviz.tasks.own.readers.workbooks import read_table
from attnviz.training import Run, new_run

if TYPE_CHECKING:
    from attnviz.finetuning.judgement import Judgement
    from attnviz.finetuning.plan import Findings, Plan

__all__ = ["add_finetuning"]

SHOWN = 10  # wrong answers, and labels
WIDTH = 100
AFTER = "of many, the best is written and judged afterwards: attnviz resume RUN --out FOLDER, attnviz evaluate RUN"


def add_finetuning(commands: Commands) -> None:
    """The commands that fine-tune and evaluate."""
    tune = add_command(
        commands,
        "finetune",
        "train a Hugging Face model on texts of your own",
        "Train a model of the transformers library on labelled texts (CSV, TSV, JSON lines, Excel) or tagged words "
        "(CoNLL), as a run like any other: with attention on a sentence of your own while it learns, stopped and "
        "resumed, and judged on texts held out by a hash. What would be trained, its memory and its time are said "
        f"first. {WHERE}",
        [
            "finetune models/minilm --data reviews.csv --text review --label stars",
            "finetune models/minilm --data reviews.csv --method last:2 --probe 'not a good film' --out models/mine",
            "finetune models/minilm --data train.conll --test test.conll --method lora",
            "finetune models/minilm --data reviews.csv --grid method=head,last:2,all --seeds 3",
            "finetune models/minilm --data reviews.csv --dry-run",
        ],
    )
    tune.add_argument("base", metavar="FOLDER", help="model to begin with, as `attnviz trace` takes it")
    _add_data(tune)
    for split in ("validation", "test"):
        tune.add_argument(f"--{split}", type=Path, metavar="FILE", help=f"data of its own for {split}")
        tune.add_argument(
            f"--{split}-share",
            type=positive,
            default=10,
            metavar="P",
            help=f"percent of --data for {split} (default: %(default)s)",
        )
    tune.add_argument("--split-seed", type=not_negative, default=0, metavar="S", help="divide the data otherwise")
    tune.add_argument(
        "--method",
        default="all-but-embeddings",
        metavar="METHOD",
        help="what is trained: head, last:N (layers), all-but-embeddings, all, or lora (default: %(default)s)",
    )
    tune.add_argument("--steps", type=positive, metavar="N", help="updates (default: four times over the texts)")
    tune.add_argument("--batch", type=positive, metavar="N", help="texts of a step (default: 16)")
    tune.add_argument(
        "--rate", type=float, metavar="R", help="learning rate (default: the method's, for small models such as MiniLM)"
    )
    tune.add_argument("--seed", type=not_negative, default=0, metavar="S", help="of new weights and of the order")
    tune.add_argument("--max-length", type=positive, metavar="N", help="tokens of a text (default: the model's most)")
    tune.add_argument("--class-weights", action="store_true", help="let rare labels count more")
    tune.add_argument(
        "--early-stopping",
        type=positive,
        nargs="?",
        const=3,
        metavar="N",
        help="stop after N looks at validation data without a lower loss (default N: %(const)s)",
    )
    tune.add_argument("--probe", default="", metavar="TEXT", help="sentence on which attention is watched")
    tune.add_argument("--name", metavar="NAME", help="name of the run (default: of the model and the time)")
    tune.add_argument("--out", type=Path, metavar="FOLDER", help="also write the tuned model there")
    add_settings(tune)
    tune.add_argument("--dry-run", action="store_true", help="say what would be trained, and stop")
    tune.set_defaults(command=_finetune)

    evaluate = add_command(
        commands,
        "evaluate",
        "judge a fine-tuned model, or one that writes texts of a source",
        "Judge a fine-tuned run on its test data, or on a file: precision, recall and F1 of each label, averages with "
        "bootstrap intervals, the confusion matrix, the wrong answers, the surest first, and baselines beside it. "
        f"{WHERE}",
        ["evaluate reviews-1", "evaluate reviews-1 --data more.csv --text review --label stars", "evaluate r --json"],
    )
    evaluate.add_argument("run", metavar="RUN", help="its name")
    _add_data(evaluate, needed=False)
    evaluate.add_argument("--step", type=not_negative, metavar="N", help="checkpoint (default: the last, or the best)")
    evaluate.add_argument("--no-baselines", action="store_true", help="leave the baselines out")
    evaluate.add_argument("--json", action="store_true", help="as JSON: an object")
    evaluate.set_defaults(command=_evaluate)


def _add_data(command: argparse.ArgumentParser, needed: bool = True) -> None:
    command.add_argument(
        "--data", type=Path, required=needed, metavar="FILE", help=".csv, .tsv, .jsonl, .xlsx, .conll ..."
    )
    command.add_argument("--text", default="", metavar="COLUMN", help="name or number of the texts' column, or words'")
    command.add_argument("--label", default="", metavar="COLUMN", help="name or number of the labels' column, or tags'")
    command.add_argument("--tags", action="store_true", help="the file holds tagged words, whatever it is called")
    command.add_argument(
        "--encoding", choices=list(ENCODINGS), default="", metavar="NAME", help="of the file (default: told by it)"
    )


def _finetune(options: argparse.Namespace) -> int:
    from attnviz.finetuning.judgement import judge
    from attnviz.finetuning.plan import plan

    _quiet()
    many = bool(options.grid or options.search or options.halving or options.workers or options.seeds > 1)
    if many and (given := [name for name in ("name", "out") if getattr(options, name)]):
        raise UsageError(f"--{given[0]} belongs to a single run; {AFTER}")
    prepare(options.out)
    try:
        data, tags = _data(options, {"train": options.data, "validation": options.validation, "test": options.test})
        base = str(Path(options.base).resolve()) if os.path.isdir(options.base) else options.base
        settings = {"steps": options.steps, "batch_size": options.batch, "learning_rate": options.rate}
        settings |= {"seed": options.seed, "patience": options.early_stopping}
        planned = plan(
            base,
            data,
            tags=tags,
            method=options.method,
            max_len=options.max_length,
            training={name: value for name, value in settings.items() if value is not None},
            weighted=options.class_weights,
            watched=options.probe,
            split_seed=options.split_seed,
            validation_share=options.validation_share,
            test_share=options.test_share,
        )
    except (ConfigError, InputError, ModelLoadError) as error:
        raise UsageError(str(error)) from error
    said = [*_planned(planned), *_found(planned.findings)]
    if many:
        return train_all(planned.config, options, said)
    for line in said:
        print(line, flush=True)
    if options.dry_run:
        return SUCCESS
    run = new_run(planned.config, options.name)
    state = record_run(run)
    if state.state != "done":
        return SUCCESS
    _tell_movement(run)
    step = run.best_step()
    assert step is not None  # it has ended
    _tell(judge(run, step))
    if options.out is not None:
        print(f"written to {write_tuned(run, step, options.out)}")
    return SUCCESS


def write_tuned(run: Run, step: int, folder: Path) -> Path:
    """Write a checkpoint of a fine-tuned run as a folder of transformers."""
    from attnviz.huggingface.tuned import save_folder

    return save_folder(run.model(step), folder)


def _quiet() -> None:
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    torch.set_num_threads(1)


def _data(options: argparse.Namespace, files: dict[Split, Path | None]) -> tuple[dict[Split, str], bool]:
    from attnviz.finetuning.reading import TAGGED, read_file

    tags = options.tags or any(path is not None and path.suffix.lower() in TAGGED for path in files.values())
    asked = (options.text, options.label, options.encoding, tags)
    try:
        found = {split: read_file(path, *asked)[0] for split, path in files.items() if path is not None}
    except DataEncodingUnclear:
        raise
    except DataUnclear as error:
        how = "say --text COLUMN and --label COLUMN, by the names in the first line or by numbers from 1"
        raise UsageError(f"{told('en', error.code, error.details)} That is: {how}.") from error
    for path in filter(None, files.values()):
        for note in file_notes(path, read_table(path, options.encoding)):
            sys.stderr.write(one_line(note))
    return found, tags


def _planned(planned: Plan) -> list[str]:
    model, training = planned.model, planned.config.training
    trained = f"{model.n_trained:,} of {model.n_parameters:,} parameters are trained ({model.method})"
    lines = [
        f"{model.kind} from {printable(model.base)}: {trained}, {training.steps:,} steps of {training.batch_size}",
        f"learning rate {training.learning_rate:g} at its highest",
        f"about {planned.nbytes / 2**20:,.0f} MiB of memory, about {_time(planned.seconds)} on one idle core here",
    ]
    if model.keeps:
        lines.append(
            f"the first {model.keeps} layers do not change: they are computed once for each text, without dropout"
        )
    if model.method == "head":
        lines.append("no layer is trained, so attention does not change")
    return lines


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _found(found: Findings) -> list[str]:
    """Say what the data are, and what may be wrong with them."""
    sizes = ", ".join(f"{size:,} for {split}" for split, size in found.sizes.items())
    labels = ", ".join(f"{printable(name)} {n:,}" for name, n in found.labels[:SHOWN])
    more = f" and {len(found.labels) - SHOWN} more" if len(found.labels) > SHOWN else ""
    lines = [f"data: {sizes}; labels: {labels}{more}; at most {found.longest} tokens"]
    cut = ", ".join(f"{n:,} of {split}" for split, n in found.cut.items() if n)
    notes = [
        (found.repeated, f"texts that stand there more than once: {found.repeated:,}; equal ones are in the same part"),
        (found.shared, f"texts of validation and test that are also in the data to train on: {found.shared:,}"),
        (found.near, f"texts of validation and test that are nearly one to train on (capitals, signs): {found.near:,}"),
        (found.unread, f"texts of which the model knows no piece, so that all look alike to it: {found.unread:,}"),
        (found.contradictory, f"texts with more than one label: {found.contradictory:,}"),
        (cut, f"cut to {found.longest} tokens: {cut}; at most {found.lost:,} tokens are lost at the end"),
        (found.unlearned, f"no text to train on has the label {', '.join(map(printable, found.unlearned[:SHOWN]))}"),
        (found.numbers, "the labels are numbers; they are learned as names, without order"),
        (found.alike, f"labels that look alike: {', '.join(_spelled(found.alike)[:SHOWN])}"),
    ]
    return lines + [f"note: {text}" for said, text in notes if said]


def _spelled(alike: dict[str, str]) -> list[str]:
    """Return labels that look alike, each with the code points that tell it apart."""
    return [f"{printable(name)} {told}".rstrip() for name, told in alike.items()]


def _tell_movement(run: Run) -> None:
    from attnviz.finetuning.movement import moved

    for layer in moved(run):
        print(
            f"attention of {layer.site} moved by {layer.mean:.3f}, of its first token by {layer.first:.3f}", flush=True
        )


def _evaluate(options: argparse.Namespace) -> int:
    from attnviz.finetuning.judgement import judge
    from attnviz.finetuning.tasks import TunedTags, TunedTask

    _quiet()
    run = find_run(options.run)
    step = run.best_step() if options.step is None else options.step
    if step is None or step not in run.checkpoints():
        raise CommandError(f"the run {run.name} has no such checkpoint")
    task = run.config.task
    if not isinstance(task, TunedTask):
        return evaluate_pairs(run, step, options)
    data = None
    if options.data is not None:
        options.tags = isinstance(task, TunedTags)
        data = _data(options, {"test": options.data})[0]["test"]
    found = judge(run, step, data, beside=not options.no_baselines)
    if options.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    else:
        _tell(found)
    return SUCCESS


def _tell(judged: Judgement) -> None:
    found = judged.report
    if judged.left_out:
        print(f"note: texts left out, whose labels the model does not know: {judged.left_out:,}")
    if judged.seen:
        print(f"note: texts that the model was trained on: {judged.seen:,}; scores on them say little")
    print(f"{found.metric} {rounded(found.score, 4)}{_between(found.interval)} on {found.n:,} texts")
    macro = _between(found.macro_interval) if found.macro_interval else ""
    rows = [["", "precision", "recall", "F1", "support"]]
    rows += [
        [printable(shorten(each.name, 30)), *(f"{share:.3f}" for share in each[1:4]), f"{each.support:,}"]
        for each in (*found.labels, *found.averages)
    ]
    for line in columns(rows, right=(1, 2, 3, 4)):
        print(line)
    if macro:
        print(f"macro F1{macro}")
    if len(found.names) <= SHOWN:
        print("right answers (rows) and given ones (columns):")
        names = [printable(shorten(name, 12)) for name in found.names]
        matrix = [["", *names], *([name, *map(str, row)] for name, row in zip(names, found.confusion, strict=True))]
        for line in columns(matrix, right=tuple(range(1, len(names) + 1))):
            print(line)
    for baseline in judged.baselines:
        print(f"without tuning, {baseline.name}: {rounded(baseline.score, 4)}{_between(baseline.interval)}")
    for wrong in found.wrong[:SHOWN]:
        told = [f"{said} for {true}" for true, said in zip(wrong.true, wrong.said, strict=True)]
        if wrong.words:  # of tags
            told = [f"{word} {each}" for word, each in zip(wrong.words, told, strict=True)]
        pairs = ", ".join(told[:3])
        print(f"wrong ({wrong.sure:.2f}): {printable(pairs)}: {printable(shorten(wrong.text, WIDTH))}")


def _between(interval: Interval) -> str:
    return f" (95% {interval.low:.3f} to {interval.high:.3f})"
