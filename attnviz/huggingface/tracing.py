"""Recording a forward pass of a Hugging Face model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from attnviz.errors import AttentionUnseen, NoRow
from attnviz.guard import guarded
from attnviz.huggingface.inspection import Inspection, Seen
from attnviz.huggingface.interface import InterfaceCall, hears, listening
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.outputs import outputs_of
from attnviz.huggingface.place import Place
from attnviz.huggingface.reading import Reading, of_inputs, read
from attnviz.huggingface.rules import RulesReader
from attnviz.huggingface.sites import make_site, tolerance
from attnviz.huggingface.structure import context_error, output_error
from attnviz.huggingface.windows import has_windows, window_tokens
from attnviz.texts import check_text
from attnviz.trace import AttentionSite, LayerInputs, ProofEntry, Trace
from attnviz.trace.model_trace import in_rows

__all__ = ["HuggingFacePass", "find_places", "make_trace", "trace_inputs", "trace_text"]

MOST_LOGITS = 1_000_000  # kept with the trace; more are computed again when somebody looks


def trace_text(model: HuggingFaceModel, text: str, target: str | None = None, image: Any = None) -> Trace:
    """As `attnviz.trace`, for a Hugging Face model."""
    check_text(text)
    check_text(target or "")
    with guarded(model.name):
        return _trace(model, read(model, text, target, image), row=0)


def trace_inputs(model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int = 0) -> Trace:
    """Run a model on inputs that are made already, and keep what is needed to show every number of one row.

    Args:
        model: from `load_model` or `wrap`.
        inputs: what the model's `forward` takes: token ids, attention masks, pixels, sounds; a batch of any size.
        row: of the batch.

    Returns:
        A Trace of that row, padding included.

    Raises:
        CannotShow: the attention of this model cannot be shown truly.
        OutOfMemory: there was not enough memory.
        InputsDoNotFit, TokensOutside: these are no inputs of this model.
        NoRow: there is no such row.
        AttnvizError: whatever else the model raises, see `guarded`.
    """
    with guarded(model.name):
        return _trace(model, of_inputs(model, inputs, row), row)


def _trace(model: HuggingFaceModel, reading: Reading, row: int) -> Trace:
    forward_pass = HuggingFacePass(model, reading.inputs, row)
    sites, shape = forward_pass.record()
    return make_trace(model, reading, sites, forward_pass, shape)


def make_trace(
    model: HuggingFaceModel,
    reading: Reading,
    sites: Sequence[AttentionSite],
    forward_pass: HuggingFacePass,
    logits: torch.Size | None,
) -> Trace:
    """A trace of what was read and recorded; `logits` is the shape of what the model ends with."""
    windows = {site.queries: window_tokens(model.block_of(site), site) for site in sites if site.part is not None}
    return Trace(
        model=model,
        text=reading.text,
        target=reading.target,
        target_generated=reading.target_generated,
        sequences={**reading.sequences(model, sites), **windows},
        main=reading.main,
        sites=tuple(sites),
        outputs=outputs_of(model, reading, logits),
        forward_pass=forward_pass,
        image=reading.image,
    )


def find_places(model: HuggingFaceModel, calls: Sequence[InterfaceCall]) -> dict[Place, list[InterfaceCall]]:
    """The calls of one or more forward passes by the place where they were made, both in the order of the model.

    Raises:
        AttentionUnseen: a layer that was not there when the model was watched.
    """
    places = model.structure.places
    turns = Counter(module for module, _ in places)  # of each layer in one pass
    count = Counter[str]()
    found: dict[Place, list[InterfaceCall]] = {}
    for call in calls:
        module = model.module_names.get(call.module, type(call.module).__name__)
        if module not in turns:
            raise AttentionUnseen(model.name, module)
        found.setdefault(places[module, count[module] % turns[module]], []).append(call)
        count[module] += 1
    return found


class HuggingFacePass:
    """A forward pass of a Hugging Face model, which can be run again.

    Args:
        model: that runs.
        inputs: that it reads.
        row: of the batch that is of interest.
    """

    def __init__(self, model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int) -> None:
        self.model, self.given, self.row = model, inputs, row
        self.batch = next(iter(inputs.values())).shape[0]
        if not 0 <= row < self.batch:
            raise NoRow(row, self.batch)
        self._logits: Tensor | None = None
        self._stream: Tensor | None = None

    def record(self) -> tuple[list[AttentionSite], torch.Size | None]:
        """Run the model, keep what its attention layers used, and how large its logits are.

        Logits are computed when somebody looks: until then the residual stream that they come from is all that is kept.
        """
        structure = self.model.structure
        calls: list[InterfaceCall] = []
        with self.model.running(), listening(lambda call, _: calls.append(call)):
            if structure.unembedding is not None and structure.ends_plainly:
                streams, logits = [self.model.stream(self.given)], None
            else:
                streams, logits = self._run(structure.unembedding)
        sites = self._sites(calls)
        if len(streams) == 1 and structure.unembedding is not None:
            stream = streams[0]
            self._stream = stream[self.row].clone() if self.batch > 1 else stream[0]
            return sites, torch.Size((*stream.shape[:-1], structure.unembedding.weight.shape[0]))
        if logits is not None and logits.numel() <= MOST_LOGITS:
            self._logits = logits[self.row]
        return sites, None if logits is None else logits.shape

    def _run(self, unembedding: nn.Module | None) -> tuple[list[Tensor], Tensor | None]:
        """The whole model: what its unembedding read, and its logits."""
        streams: list[Tensor] = []

        def keep(_: nn.Module, args: tuple[Any, ...]) -> None:
            if hears():
                streams.append(args[0])

        with ExitStack() as stack:
            if unembedding is not None:
                stack.callback(unembedding.register_forward_pre_hook(keep).remove)
            return streams, getattr(self.model.forward(self.given), "logits", None)

    def _sites(self, calls: list[InterfaceCall]) -> list[AttentionSite]:
        """The sites of one row; a layer that attends in windows makes one of each."""
        reader = RulesReader()
        sites = []
        for place, (call,) in find_places(self.model, calls).items():
            parts = call.q.shape[0] // self.batch
            first = self.row * parts
            windowed = parts > 1 or has_windows(self.model.block_of(place))
            sites += [make_site(place, call, reader, first + n, n if windowed else None) for n in range(parts)]
        return sites

    @property
    def nbytes(self) -> int:
        """Bytes of the residual stream, or of the logits where they are kept."""
        kept = self._logits if self._stream is None else self._stream
        return 0 if kept is None else kept.untyped_storage().nbytes()

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        """As `ForwardPass.logits`: from the stream where it is the last step, else by running the model again."""
        unembedding = self.model.structure.unembedding
        if self._stream is not None and unembedding is not None:
            for part in in_rows(self._stream, rows):
                with self.model.running():
                    logits: Tensor = unembedding(part)
                yield logits
            return
        logits = self._whole_logits() if self._logits is None else self._logits
        yield from in_rows(logits if logits.ndim == 2 else logits[None], rows)

    def _whole_logits(self) -> Tensor:
        with self.model.running():
            logits: Tensor = self.model.forward(self.given).logits[self.row]
        return logits

    def inputs(self) -> dict[str, LayerInputs]:
        """As `ForwardPass.inputs`; a layer that attends in windows is left out."""
        kept: dict[str, LayerInputs] = {}

        def keep(place: Place, seen: Seen) -> None:
            if seen.x is not None and seen.memory is not None and seen.x.shape[0] == self.batch:
                kept[place.name] = LayerInputs(seen.x[self.row], seen.memory[self.row])

        self._watch(keep)
        return kept

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        """As `ForwardPass.proof`; rows in which nothing may be read are left out."""
        waiting = list(reversed(sites))
        entries: list[ProofEntry] = []

        def compare(place: Place, seen: Seen) -> None:
            parts = seen.call.q.shape[0] // self.batch
            for index in range(self.row * parts, (self.row + 1) * parts):
                site = waiting.pop()
                context = context_error(site, seen.context[index].transpose(0, 1))
                output = 0.0
                if seen.output is not None and site.w_o is not None:
                    output = output_error(site, place.b_o, seen.output.reshape(-1, *seen.output.shape[-2:])[index])
                entries.append(ProofEntry(site.name, context, output, tolerance(site.q.dtype)))

        self._watch(compare)
        return entries

    def _watch(self, take: Callable[[Place, Seen], None]) -> None:
        """Run the model again and look closely."""
        places = self.model.structure.places
        inspection = Inspection(self.model.network, set(), lambda seen: take(places[seen.module, seen.turn], seen))
        with self.model.running(), inspection.watch():
            self.model.forward(self.given)
