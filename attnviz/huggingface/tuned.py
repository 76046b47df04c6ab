"""A pretrained network with a new head: what of it is trained, and what never changes and is computed once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, PreTrainedModel
from transformers.utils import is_peft_available

from attnviz.errors import BaseUnfit, PackageMissing
from attnviz.errors.base import Why
from attnviz.guard import guarded, reason_of
from attnviz.huggingface.model import HuggingFaceModel, wrap
from attnviz.huggingface.tracing import trace_inputs
from attnviz.models.tuned_config import TunedConfig, last_layers
from attnviz.models.weight_files import weight_files

__all__ = ["TunedNetwork", "check_base", "pad_of", "save_folder", "tuned_config", "tuned_network", "weights_digest"]

LORA = {"r": 8, "lora_alpha": 16}
TARGETS = {"distilbert": ["q_lin", "v_lin"], "modernbert": ["Wqkv"]}  # of queries and values, where peft names none
MOST_KEPT = 2**29  # bytes of outputs of layers that do not change


def weights_digest(folder: Path) -> str:
    """Return the SHA-256 of a model's weights, file by file."""
    digest = sha256()
    for path in sorted(weight_files(folder, folder.name)):
        with path.open("rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    return digest.hexdigest()


def check_base(model: HuggingFaceModel) -> None:
    """Refuse a model that cannot be trained here.

    Raises:
        BaseUnfit: it reads no text, has two stacks, no fast tokenizer, or weights that are codes of numbers.
    """
    parameters = list(model.network.parameters())
    if not model.reads_text or model.sees_images or model.hears_sound:
        raise BaseUnfit(model.name, Why("no-text"))
    if model.has_decoder:
        raise BaseUnfit(model.name, Why("two-stacks"))
    if getattr(model.network, "hf_quantizer", None) is not None or not all(p.is_floating_point() for p in parameters):
        raise BaseUnfit(model.name, Why("quantised"))
    if getattr(model.tokenizer, "backend_tokenizer", None) is None:
        raise BaseUnfit(model.name, Why("no-fast-tokenizer"))


def tuned_config(
    base: HuggingFaceModel, digest: str, method: str, labels: Sequence[str], each: bool, seed: int = 0
) -> tuple[TunedConfig, TunedNetwork]:
    """Describe the network that `tuned_network` makes of a base model; returns it as well.

    Args:
        base: opened model.
        digest: hash of its weights.
        method: what is trained; see `TunedConfig`.
        labels: names of the outputs.
        each: an output for each token, not for a whole text.
        seed: seed of new weights.

    Raises:
        BaseUnfit: it cannot be trained here.
        ConfigError: there is no such method.
        PackageMissing: "lora" needs peft.
    """
    text = base.config.get_text_config()
    widths = ("intermediate_size", "n_inner", "hidden_dim", "ffn_dim")
    given = (getattr(text, name, None) for name in widths)
    config = TunedConfig(
        architecture=cast(Any, base.text_stack),
        vocab_size=len(cast(Any, base.tokenizer)),
        max_len=base.max_len or 512,
        d_model=text.hidden_size,
        n_layers=text.num_hidden_layers,
        n_heads=text.num_attention_heads,
        d_ff=next((width for width in given if isinstance(width, int)), 4 * text.hidden_size),
        dropout=float(getattr(text, "hidden_dropout_prob", getattr(text, "dropout", 0.0)) or 0.0),
        n_outputs=len(labels),
        base=base.name,
        sha256=digest,
        kind="",
        method=method,
    )
    made = tuned_network(base, config, labels, each, seed)
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in made.network.parameters()]
    n_trained = sum(size for size, trained in sizes if trained)
    kind, n_parameters = type(made.network).__name__, sum(size for size, _ in sizes)
    return replace(config, kind=kind, n_parameters=n_parameters, n_trained=n_trained), made


def tuned_network(
    base: HuggingFaceModel, config: TunedConfig, labels: Sequence[str], each: bool, seed: int
) -> TunedNetwork:
    """Put a new head on a base model, and choose what is trained; new weights depend on the seed alone.

    Raises:
        BaseUnfit: transformers has no such head for it.
        PackageMissing: "lora" needs peft.
    """
    check_base(base)
    with guarded(base.name), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _with_head(base, labels, each)
        made = TunedNetwork(wrap(network, base.tokenizer, name=base.name), config, each)
    return made.train()


def _with_head(base: HuggingFaceModel, labels: Sequence[str], each: bool) -> PreTrainedModel:
    config, kind = deepcopy(base.config), AutoModelForTokenClassification
    if not each:
        kind, config.problem_type = AutoModelForSequenceClassification, "single_label_classification"
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}
    if config.pad_token_id is None or config.pad_token_id >= base.network.get_input_embeddings().weight.shape[0]:
        config.pad_token_id = pad_of(base)
    config.dtype = torch.float32
    try:
        network: PreTrainedModel = kind.from_config(config)
    except ValueError as error:  # no such head for this kind of model
        raise BaseUnfit(base.name, reason_of(error)) from error
    missing, _ = network.base_model.load_state_dict(base.network.base_model.state_dict(), strict=False)
    if lost := [key for key in missing if "pooler" not in key]:
        raise BaseUnfit(base.name, Why("missing-tensors", tensor=min(lost), count=len(lost)))
    return network


def pad_of(base: HuggingFaceModel) -> int:
    """Return the id that fills short texts up: of the padding, else of what ends a text, where the model knows it."""
    tokenizer = cast(Any, base.tokenizer)
    known = range(base.network.get_input_embeddings().weight.shape[0])
    ids = (tokenizer.pad_token_id, *base.ends, tokenizer.eos_token_id, 0)
    return int(next(index for index in ids if index in known))


class TunedNetwork(nn.Module):
    """A network of transformers behind the face that training knows.

    Layers that no training changes are computed once for each text, alone, so that what they return depends on nothing
    else; their outputs are kept. Nothing drops out in them.

    Args:
        model: network with its head, and its tokenizer.
        config: what is trained.
        each: an output for each token, not for a whole text.
    """

    def __init__(self, model: HuggingFaceModel, config: TunedConfig, each: bool) -> None:
        super().__init__()
        self.network, self._model, self._each = model.network, model, each
        self._adapted: list[Any] = []  # what peft made of the network; in a list, so that it is no part of this module
        blocks = [path for path, _ in model.structure.blocks]
        if len(blocks) != config.n_layers or len(set(blocks)) < len(blocks):
            raise BaseUnfit(model.name, Why("shared-layers"))
        self._choose(config.method, blocks)
        self._frozen = [self.network.get_submodule(path) for path in blocks[: config.keeps]]
        self._kept: OrderedDict[bytes, Tensor] = OrderedDict()
        self._bytes = 0

    def _choose(self, method: str, blocks: Sequence[str]) -> None:
        """Let training change what the method names."""
        names = [name for name, _ in self.network.named_parameters()]
        first = next(i for i, name in enumerate(names) if name.startswith(f"{blocks[0]}."))
        of_blocks = [name for name in names if any(name.startswith(f"{path}.") for path in blocks)]
        after = set(names[first:]) - set(of_blocks)
        last = blocks[len(blocks) - last_layers(method, len(blocks)) :]
        trained = after | {name for name in of_blocks if any(name.startswith(f"{path}.") for path in last)}
        if method == "all":
            trained = set(names)
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name in trained)
        if method == "lora":
            self._adapt()

    def _adapt(self) -> None:
        """Put small matrices beside those of queries and values, by peft."""
        if not is_peft_available():
            raise PackageMissing(self._model.name, "peft")
        from peft import LoraConfig, LoraModel

        free = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        config = LoraConfig(**cast(Any, LORA), target_modules=TARGETS.get(self.network.config.model_type))
        try:
            self._adapted.append(LoraModel(self.network, {"default": config}, "default"))
        except ValueError as error:  # it does not know which matrices these are
            raise BaseUnfit(self._model.name, Why("no-lora")) from error
        for parameter in free:  # peft froze the head as well
            parameter.requires_grad_(True)

    def train(self, mode: bool = True) -> TunedNetwork:
        """Begin or end training; layers that never change stay as they are in use."""
        super().train(mode)
        for block in self._frozen:
            block.eval()
        return self

    def forward(
        self, tokens: Tensor, source: Tensor | None = None, *, padding: Tensor | None = None, **_: Tensor | None
    ) -> Tensor:
        """Return the logits (B, T, n_labels); the one of a whole text stands at its first token."""
        real = torch.ones_like(tokens, dtype=torch.bool) if padding is None else padding
        with self._computed_once(tokens, real):
            logits: Tensor = self.network(input_ids=tokens, attention_mask=real.long(), **self._options).logits
        if self._each:
            return logits
        return nn.functional.pad(logits[:, None], (0, 0, 0, tokens.shape[1] - 1))  # (B, n) -> (B, T, n)

    @property
    def _options(self) -> dict[str, bool]:
        return {"use_cache": False} if "use_cache" in self._model.parameters else {}

    def watched(self, tokens: Tensor) -> dict[str, Tensor]:
        """Return the weights of every head on one sequence (1, T), by site: (H, T, T)."""
        trace = trace_inputs(self._model, {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)})
        blocks = {site.name: [part.clone() for _, part in site.weight_blocks()] for site in trace.sites}
        return {name: torch.cat(parts, 1) for name, parts in blocks.items()}

    def opened(self, name: str) -> HuggingFaceModel:
        """Return the network as a model to look into: in use, and with what LoRA learned in its own matrices."""
        for adapted in self._adapted:
            adapted.merge_and_unload()
        self._adapted.clear()
        return wrap(self.network.eval().requires_grad_(False), self._model.tokenizer, name=name)

    @contextmanager
    def _computed_once(self, tokens: Tensor, real: Tensor) -> Iterator[None]:
        """Have the layers that never change return what they returned for these texts before."""
        if not self._frozen:
            yield
            return
        rows = [self._below(row[: int(length)]) for row, length in zip(tokens, real.sum(1), strict=True)]  # (T, d) each
        hidden = nn.utils.rnn.pad_sequence([row for row, _ in rows], batch_first=True)  # (B, T, d)
        if hidden.shape[1] < tokens.shape[1]:
            hidden = nn.functional.pad(hidden, (0, 0, 0, tokens.shape[1] - hidden.shape[1]))
        form = rows[0][1]
        with ExitStack() as stack:
            for block in self._frozen:
                stack.enter_context(_standing_in(block, lambda *_, **__: form(hidden)))
            yield

    def _below(self, row: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
        """Return the output of the last layer that never changes for one text (T, d), and the form it has."""
        key = row.numpy().tobytes()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key], self._form
        found: list[Any] = []

        def stop(_: nn.Module, __: Any, output: Any) -> None:
            found.append(output)
            raise _Enough

        handle = self._frozen[-1].register_forward_hook(stop)
        training = self.network.base_model.training
        self.network.base_model.eval()
        try:
            with torch.inference_mode(False), torch.no_grad():
                own = row.clone()[None]
                self.network.base_model(input_ids=own, attention_mask=torch.ones_like(own), **self._options)
        except _Enough:
            pass
        finally:
            handle.remove()
            self.network.base_model.train(training)
            self.train(self.training)
        output = found[0]
        self._form: Callable[[Tensor], Any] = (
            (lambda hidden: hidden) if isinstance(output, Tensor) else (lambda hidden: (hidden, *output[1:]))
        )
        kept = (output if isinstance(output, Tensor) else output[0])[0].clone()
        self._kept[key] = kept
        self._bytes += kept.numel() * 4
        while self._bytes > MOST_KEPT:
            self._bytes -= self._kept.popitem(last=False)[1].numel() * 4
        return kept, self._form


def save_folder(model: HuggingFaceModel, folder: Path) -> Path:
    """Write a model and its tokenizer for attnviz and for transformers; returns the folder."""
    with guarded(model.name):
        model.network.save_pretrained(folder)
        cast(Any, model.tokenizer).save_pretrained(folder)
    return folder


class _Enough(Exception):
    """The layers above need not run."""


@contextmanager
def _standing_in(block: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Have a module do something else for a while."""
    own = vars(block).get("forward")
    cast(Any, block).forward = forward
    try:
        yield
    finally:
        if own is None:
            del block.forward
        else:
            cast(Any, block).forward = own
