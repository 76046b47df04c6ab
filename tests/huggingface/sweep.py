"""Build a tiny model of every class that transformers knows: each is shown with a proof or refused by an error of ours.

python -m tests.huggingface.sweep [SUBSTRING ...]
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
import transformers
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import logging

from attnviz.errors import AttnvizError, OwnFault
from attnviz.huggingface import trace_inputs, wrap
from attnviz.huggingface.sample import sample

LARGEST = 20_000_000  # parameters; what stays larger is left out, and said
SIZES = {
    "layers": 2,
    "depth": 2,
    "hidden_size": 48,
    "d_model": 48,
    "embed_dim": 48,
    "dim": 48,
    "n_embd": 48,
    "intermediate_size": 56,
    "ffn_dim": 56,
    "heads": 4,
    "kv_heads": 2,
    "vocab_size": 99,
    "experts": 4,
    "positions": 64,
    "image_size": 32,
    "head_dim": 12,
}
"""Values by how the names of a configuration's fields end; the longest that fits counts."""


def shrink(config: Any, seen: tuple[int, ...] = ()) -> None:
    """Make a configuration small in place, and those that it contains."""
    for name, value in list(vars(config).items()):
        if isinstance(value, transformers.PreTrainedConfig) and id(value) not in seen:
            shrink(value, (*seen, id(config)))
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        ending = max((end for end in SIZES if name == end or name.endswith(("_" + end, end))), key=len, default=None)
        if name.endswith("_token_id") and value >= SIZES["vocab_size"]:
            setattr(config, name, 90 + len(name) % 8)
        elif ending is not None and value > SIZES[ending]:
            setattr(config, name, SIZES[ending])


def classes() -> Iterator[tuple[str, str]]:
    """Every class of model with the kind of configuration that it belongs to, each once."""
    names = set()
    for attribute in dir(modeling_auto):
        if attribute.startswith("MODEL_") and attribute.endswith("MAPPING_NAMES"):
            for kind, model in getattr(modeling_auto, attribute).items():
                for name in [model] if isinstance(model, str) else model:
                    if (kind, name) not in names:
                        names.add((kind, name))
                        yield kind, name


def build(kind: str, name: str) -> Any:
    """A tiny model with random weights; an exception of transformers where that cannot be."""
    config = CONFIG_MAPPING[kind]()
    shrink(config)
    model_class = getattr(transformers, name)
    if config.__class__ is not model_class.config_class and model_class.config_class is not None:
        config = model_class.config_class()
        shrink(config)
    with torch.device("meta"):
        size = sum(parameter.numel() for parameter in model_class(config).parameters())
    if size > LARGEST:
        raise MemoryError(f"{size / 1e6:.0f} M parameters")
    torch.manual_seed(0)
    return model_class(config).eval()


def judge(network: Any) -> str:
    """What becomes of a model: "shown", the name of our error, or "RAW" and what was raised."""
    try:
        model = wrap(network)
        _ = model.structure
        inputs, _ = sample(network, model.parameters)
        trace = trace_inputs(model, inputs)
        worst = max(entry.max_abs_error for entry in trace.proof())
        assert trace.tokens
        if trace.outputs is not None:
            assert len(trace.sequences[trace.outputs.sequence])
            assert trace.logits.ndim == 2
    except OwnFault as error:
        return f"FAULT {error}"
    except AttnvizError as error:
        return f"{type(error).__name__}: {error}"
    except BaseException as error:
        return f"RAW {type(error).__name__}: {error}"
    return "shown" if worst <= 1e-4 else f"WRONG {worst:.1e}"


def main(wanted: list[str]) -> int:
    """Print a line for each class; 1 where one was neither shown truly nor refused."""
    logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    count = Counter[str]()
    for kind, name in classes():
        if wanted and not any(part.lower() in name.lower() for part in wanted):
            continue
        try:
            network = build(kind, name)
        except Exception as error:  # which transformers has its own reasons for
            count["not built"] += 1
            print(
                f"{name}: not built ({type(error).__name__}: {str(error).strip().splitlines()[:1]})"[:160], flush=True
            )
            continue
        verdict = judge(network)
        count[verdict.partition(" ")[0].rstrip(":")] += 1
        print(f"{name}: {verdict}"[:300], flush=True)
    print(dict(count))
    return 1 if count["RAW"] or count["FAULT"] or count["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
