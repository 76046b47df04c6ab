"""A run's network as one Python file: plain PyTorch to read, to run and to train on, without attnviz.

The file is made of the source of the network itself and of all that it uses, with the numbers of the run.
"""

from __future__ import annotations

import inspect
from dataclasses import fields
from pprint import pformat

from torch import Tensor

from attnviz.models.network import blank_network
from attnviz.models.recurrent_config import AnyConfig
from attnviz.models.tuned_config import TunedConfig
from attnviz.training.run.exported import main
from attnviz.training.run.folder import Run
from attnviz.training.run.sources import Sources

__all__ = ["pytorch_script"]

LONGEST = 64  # tokens of the example of a decoder: a piece of a text shows as much
WIDTH = 110
STAND_INS = {
    "ModelConfig": "SimpleNamespace",
    "RecurrentConfig": "SimpleNamespace",
    "ConvolutionalConfig": "SimpleNamespace",
    "TrainConfig": "SimpleNamespace",
    "Network": "nn.Module",
    "SettingMisfit": "ValueError",
}
"""Write the stand-ins for names of attnviz that only check and describe."""

HEAD = '''"""The network of one training run in plain PyTorch; with its weights it computes what the run does.

    pip install torch numpy safetensors                  with Python 3.11 or later
    python model.py model.safetensors                    what the network writes for the example below
    python model.py model.safetensors {ask}
    python model.py model.safetensors --json             all outputs, as JSON
    python model.py model.safetensors --train 20         after 20 more steps of training, on the example alone

Shapes in the comments: B sequences, T tokens (Tq queries, Tk keys, Ts of the source), H heads, V outputs.
"""

from __future__ import annotations

'''
TUNED = '''"""The fine-tuned model of one run, in transformers alone.

    pip install torch transformers
    attnviz resume RUN --out FOLDER              writes the model as a folder that transformers opens
    python model.py FOLDER "a text"              what it answers
"""

import sys

import torch
from transformers import AutoTokenizer, {kind}

LABELS = {labels}

if __name__ == "__main__":
    folder, text = sys.argv[1:]
    model, tokenizer = {kind}.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        shares = model(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)
    for row in shares.reshape(-1, len(LABELS)):
        print(LABELS[int(row.argmax())], f"{{float(row.max()):.3f}}")
'''
ASK_TOKENS = "--tokens 4 5 6     for other tokens: places in the vocabulary"
ASK_NUMBERS = "--input FILE       for other numbers: a file as --json writes it"


def pytorch_script(run: Run) -> str:
    """One self-contained Python file with the network of a run; it needs torch and safetensors alone.

    It loads the weights file named on its command line (see `model_files`), lets the network read an example that is
    built in, prints what it reads and writes, with `--json` all outputs, and with `--train N` trains on.
    """
    model = run.config.model
    if isinstance(model, TunedConfig):
        return TUNED.format(kind=model.kind, labels=pformat(run.config.task.labels, width=WIDTH, compact=True))
    network = type(blank_network(model))
    sources = Sources(STAND_INS)
    sources.add(network)
    sources.add(main)
    parts = (
        HEAD.format(ask=ASK_NUMBERS if model.n_features else ASK_TOKENS) + sources.imports,
        "from types import SimpleNamespace\n\n" + "\n".join(f"{name} = {stands}" for name, stands in STAND_INS.items()),
        f"CONFIG = {_call('SimpleNamespace', _settings(model))}",
        sources.definitions,
        f"KNOWN = {_known(run)}",
        f'if __name__ == "__main__":\n    main({network.__name__}(CONFIG), KNOWN)',
    )
    return "\n\n\n".join(parts) + "\n"


def _settings(model: AnyConfig) -> dict[str, str]:
    """Return the fields of a configuration and what follows from them, as Python literals."""
    derived = [name for name, _ in inspect.getmembers(type(model), lambda each: isinstance(each, property))]
    return {name: repr(getattr(model, name)) for name in (*(field.name for field in fields(model)), *derived)}


def _known(run: Run) -> str:
    """Write the constants of `main`; a text that a person may have typed stands in Python literals, nowhere else."""
    task, model, source = run.config.task, run.config.model, run.config.task.source_tokenizer
    chosen = task.labels or task.tokenizer.vocab
    values: dict[str, object] = {
        "run": run.name,
        "task": task.name,
        "vocabulary": tuple(task.tokenizer.vocab),
        "source_vocabulary": () if source is None else tuple(source.vocab),
        "outputs": () if model.predicts == "values" else tuple(chosen),
        "pooled": model.pooling != "none",
    }
    literals = {name: pformat(value, width=WIDTH, compact=True) for name, value in values.items()}
    training = _call("TrainConfig", {name: repr(value) for name, value in run.config.training.to_dict().items()})
    return _call("Exported", {**literals, "training": training, "example": _example(run)})


def _example(run: Run) -> str:
    """Return a validation sequence, of a long text the beginning."""
    shown = LONGEST if run.config.model.architecture == "decoder" else None
    literals = {
        name: f"torch.tensor({_literal(part if name == 'source' else part[:, :shown])})"
        for name, part in vars(run.probe()[0]).items()
        if part is not None
    }
    return _call("Batch", literals)


def _literal(part: Tensor) -> str:
    """Return the nested lists of numbers, with as few digits as name a float32."""
    numbers = part[0].tolist()
    if part.is_floating_point():
        numbers = [[float(str(number)) for number in row] for row in part[0].numpy()]
    return pformat([numbers], width=WIDTH, compact=True)


def _call(name: str, arguments: dict[str, str]) -> str:
    """Return a call with an argument a line."""
    lines = "".join(f"\n{each}={value}," for each, value in arguments.items()).replace("\n", "\n    ")
    return f"{name}({lines}\n)"
