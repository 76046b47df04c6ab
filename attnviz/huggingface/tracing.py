"""Recording a forward pass of a Hugging Face model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from attnviz.errors import AttentionDiffers, AttentionUnseen, ModelChanged, NoRow
from attnviz.errors.base import Why
from attnviz.guard import guarded
from attnviz.huggingface.editing import blocks_of, edited, windows_of
from attnviz.huggingface.given import rows_of
from attnviz.huggingface.in_projection import held_inputs, still_holds
from attnviz.huggingface.inspection import Inspection, Seen
from attnviz.huggingface.interface import InterfaceCall, hears, listening
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.numerics import context_error, output_error, tolerance
from attnviz.huggingface.outputs import ANSWER, ENDS, outputs_of
from attnviz.huggingface.place import Place, SiteWeights, make_site
from attnviz.huggingface.positions import silenced, tellers_of
from attnviz.huggingface.projection import HeldProjection, matrix_of
from attnviz.huggingface.reading import Reading, of_inputs, read
from attnviz.huggingface.rules import RulesReader
from attnviz.huggingface.structure import Structure, logits_of
from attnviz.huggingface.windows import window_tokens
from attnviz.texts import check_text
from attnviz.trace import AttentionSite, BlockPlace, Edit, LayerInputs, ProofEntry, Trace
from attnviz.trace.calls import Blocks, standing_in
from attnviz.trace.compare import difference, worst
from attnviz.trace.edit import NoPositions, Rows, check_edits, keeping, starting_at
from attnviz.trace.model_trace import in_rows
from attnviz.trace.site import Held
from attnviz.trace.weights import HeldLayer, HeldMatrix, Parameters
from attnviz.why.sides import Ran
from attnviz.why.tape import Tape
from attnviz.why.written import Written, write_down

__all__ = ["HuggingFacePass", "find_places", "make_trace", "trace_inputs", "trace_text"]

MOST_LOGITS = 1_000_000  # kept with the trace; more are computed again when somebody looks


def trace_text(
    model: HuggingFaceModel, text: str, target: str | None = None, image: Any = None, edits: Sequence[Edit] = ()
) -> Trace:
    """Trace a Hugging Face model; see `attnviz.trace`."""
    check_text(text)
    check_text(target or "")
    with guarded(model.name):
        return _trace(model, read(model, text, target, image), 0, edits)


def trace_inputs(
    model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int = 0, edits: Sequence[Edit] = ()
) -> Trace:
    """Run a model on inputs that are made already, and keep what is needed to show every number of one row.

    Args:
        model: model from `load_model` or `wrap`.
        inputs: what the model's `forward` takes: token ids, attention masks, pixels, sounds; a batch of any size.
        edits: changes of the forward pass of that row, from `attnviz.edits`.

    Returns:
        A Trace of that row, padding included.

    Raises:
        CannotShow: the attention of this model cannot be shown truly.
        OutOfMemory: there was not enough memory.
        InputsDoNotFit, TokensOutside: these are no inputs of this model.
        NoRow: there is no such row.
        EditError: the model has not what an edit changes.
        AttnvizError: whatever else the model raises, see `guarded`.
    """
    with guarded(model.name):
        return _trace(model, of_inputs(model, inputs, row), row, edits)


def _trace(model: HuggingFaceModel, reading: Reading, row: int, edits: Sequence[Edit]) -> Trace:
    forward_pass = HuggingFacePass(model, reading.inputs, row, tuple(edits))
    shape = forward_pass.record()
    return make_trace(model, reading, forward_pass.sites, forward_pass, shape)


def make_trace(
    model: HuggingFaceModel,
    reading: Reading,
    sites: Sequence[AttentionSite],
    forward_pass: HuggingFacePass,
    logits: torch.Size | None,
) -> Trace:
    """Return a trace of what was read and recorded; `logits` is the shape of what the model ends with."""
    forward_pass.sites = sites
    windows = {site.queries: window_tokens(model.block_of(site), site) for site in sites if "." in site.queries}
    sequences = {**reading.sequences(model, sites, forward_pass.patches), **windows}
    outputs = outputs_of(model, reading, logits)
    if outputs is not None and outputs.kind == "span":
        sequences[ANSWER] = ENDS
    elif logits is not None and len(logits) == 3 and logits[1] != len(sequences[reading.main]):
        outputs = None  # more or fewer rows than tokens: they are not said of them
    return Trace(
        model=model,
        text=reading.text,
        target=reading.target,
        target_generated=reading.target_generated,
        sequences=sequences,
        main=reading.main,
        sites=tuple(sites),
        outputs=outputs,
        forward_pass=forward_pass,
        image=reading.image,
        edits=forward_pass.edits,
    )


def find_places(
    model: HuggingFaceModel, structure: Structure, calls: Sequence[InterfaceCall]
) -> dict[Place, list[InterfaceCall]]:
    """Return the calls of one or more forward passes by the place where they were made, both in the order of the model.

    Raises:
        AttentionUnseen: a layer that was not there when the model was watched.
    """
    places = structure.places
    turns = Counter(module for module, _ in places)  # of each layer in one pass
    count, names = Counter[str](), model.module_names
    found: dict[Place, list[InterfaceCall]] = {}
    for call in calls:
        module = names.get(call.module, type(call.module).__name__)
        if module not in turns:
            raise AttentionUnseen(model.name, module)
        found.setdefault(places[module, count[module] % turns[module]], []).append(call)
        count[module] += 1
    return found


class HuggingFacePass:
    """A forward pass of a Hugging Face model, which can be run again.

    Args:
        row: row of the batch that is of interest.
        edits: changes of that row.
    """

    def __init__(
        self, model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int, edits: tuple[Edit, ...] = ()
    ) -> None:
        self.model, self.row, self.edits = model, row, edits
        self.given = {name: tensor.clone() for name, tensor in inputs.items()}  # whose owner may write to them
        self.batch = rows_of(inputs)
        if not 0 <= row < self.batch:
            raise NoRow(row, self.batch)
        self.structure = model.look(self.given)
        self.sites: Sequence[AttentionSite] = ()  # of the trace
        self.patches: list[int] | None = None  # of an image, in the order in which they are read; None: all, in rows
        self._random = torch.get_rng_state()  # some models draw lots which patches they read
        self._logits: Tensor | None = None
        self._stream: Tensor | None = None
        told = not any(isinstance(edit, NoPositions) for edit in edits)
        self._tellers: frozenset[nn.Module] = frozenset() if told else tellers_of(model, self.structure)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Run the model with the same random numbers and edits each time."""
        rows: Rows = [self.edits if row == self.row else () for row in range(self.batch)]
        changed = edited(self.model, self.structure, rows)
        with self.model.running(), torch.random.fork_rng(devices=[]), silenced(self._tellers), changed:
            torch.set_rng_state(self._random)
            yield

    def record(self) -> torch.Size | None:
        """Run the model, keep what its attention layers used as `sites`, and tell how large its logits are.

        Logits are computed when somebody looks: until then the residual stream that they come from is all that is kept.
        """
        structure, network = self.structure, self.model.network
        calls: list[InterfaceCall] = []
        streams: list[Tensor] = []
        logits: Tensor | None = None
        self._projected: dict[str, list[Tensor]] = {}
        with self._running(), listening(lambda call, _: calls.append(call)), self._watching_wrappers():
            if structure.unembedding is not None and structure.ends_plainly:
                streams = [self.model.stream(self.given)]
            else:
                streams, output = self._run()
                logits = logits_of(output)
                self._shuffle(output)
        self._parameters = Parameters(network, self.model.name)
        if structure.unembedding is not None and len(streams) == 1:
            self._stream = streams[0][self.row].clone() if self.batch > 1 else streams[0][0]
            with self.model.running():
                self._head = HeldLayer(network, self.model.name, structure.unembedding, self._stream)
        self.sites = self._sites(calls)
        check_edits(self.edits, self.sites, self.blocks, self.model.name)
        if self._stream is not None and structure.ends_with_it:
            return torch.Size((*streams[0].shape[:-1], self._head.width))
        if logits is not None and logits.numel() <= MOST_LOGITS:
            self._logits = logits[self.row]
        return None if logits is None else logits.shape

    def under(self, edits: Sequence[Edit]) -> tuple[HuggingFacePass, Sequence[AttentionSite]]:
        """See `EditablePass.under`; the same lots are drawn."""
        ran = HuggingFacePass(self.model, self.given, self.row, tuple(edits))
        ran._random = self._random
        with guarded(self.model.name):
            ran.record()
        return ran, ran.sites

    def _shuffle(self, output: Any) -> None:
        """Keep which patches of an image were read, and in which order, where the model shuffles them."""
        restore = getattr(output, "ids_restore", None)  # of each patch its place in the shuffled row
        if isinstance(restore, Tensor):
            self.patches = restore[self.row].argsort().tolist()

    def _run(self) -> tuple[list[Tensor], Any]:
        """Return the whole model: what its unembedding read, and its outputs."""
        streams: list[Tensor] = []

        def keep(_: nn.Module, args: tuple[Any, ...]) -> None:
            if hears():
                streams.append(args[0])

        with ExitStack() as stack:
            if self.structure.unembedding is not None:
                stack.callback(self.structure.unembedding.register_forward_pre_hook(keep).remove)
            return streams, self.model.forward(self.given)

    @contextmanager
    def _watching_wrappers(self) -> Iterator[None]:
        """Keep what wrappers of W_O make, for the proof that W_O is what was derived."""

        network = self.model.network
        with ExitStack() as stack:
            for path in self.structure.wrapped:

                def keep(_: nn.Module, args: tuple[Any, ...], made: Any, path: str = path) -> None:
                    if hears():
                        made = made[0] if isinstance(made, tuple | list) else made
                        self._projected.setdefault(path, []).append(made)

                stack.callback(network.get_submodule(path).register_forward_hook(keep).remove)
            yield

    def _sites(self, calls: list[InterfaceCall]) -> list[AttentionSite]:
        """Return the sites of one row; a layer that attends in windows makes one of each."""
        reader = RulesReader()
        sites = []
        for place, made in find_places(self.model, self.structure, calls).items():
            call = made[0]
            parts = call.q.shape[0] // self.batch
            if len(made) > 1 or parts * self.batch != call.q.shape[0]:
                raise AttentionDiffers(self.model.name, place.module, Why("parts-of-batch"))
            for index, part in windows_of(self.model, place, self.row, parts):
                weights = self.weights(place, index, parts, windowed=part is not None)
                sites.append(make_site(place, call, reader, index, part, weights, self.edits))
        return sites

    def weights(self, place: Place, index: int, parts: int = 1, *, windowed: bool = False) -> SiteWeights:
        """Matrices of a layer as they are now, for one row of what it makes.

        Args:
            parts: windows that the layer attends in.
            windowed: of one of them, whose input is not shown, there is W_O alone.
        """
        w_o = self._w_o(place, index, parts)
        if place.inputs is None or windowed:
            return SiteWeights(w_o)
        return SiteWeights(w_o, *held_inputs(self.model.network, self.model.name, place.inputs))

    def _w_o(self, place: Place, index: int, parts: int) -> Held | None:
        """W_O of a layer as it is now; None where it cannot be told."""
        projection, network, name = place.projection, self.model.network, self.model.name
        if projection is None:
            return None
        if projection.weight is None:
            matrix, _ = matrix_of(network.get_submodule(projection.module))
            return HeldMatrix(network, name, projection.module, matrix)
        made = self._projected[projection.module][place.turn]
        rows = made.reshape(self.batch * parts, -1, made.shape[-1])[index]
        return HeldProjection(name, projection, rows.clone() if self.batch * parts > 1 else rows)

    @property
    def nbytes(self) -> int:
        """Bytes of the residual stream, of logits where they are kept, and of what wrappers of W_O made."""
        kept = [tensor for tensor in (self._stream, self._logits) if tensor is not None]
        held = [site.__dict__["w_o"] for site in self.sites]
        wrapped = sum(one.nbytes for one in held if isinstance(one, HeldProjection))
        return sum(tensor.untyped_storage().nbytes() for tensor in kept) + wrapped

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        """See `ForwardPass.logits`; from the stream if only the last step follows it, else by running the model."""
        if self._stream is not None and self.structure.ends_with_it:
            for part in in_rows(self._stream, rows):
                with self.model.running():
                    logits = self._head(part)
                yield logits
            return
        logits = self._logits if self._logits is not None else self._row(self._watch())
        yield from in_rows(logits if logits.ndim == 2 else logits[None], rows)

    def _row(self, output: Any) -> Tensor:
        """Return the logits of the row among a model's outputs."""
        logits = logits_of(output)
        assert logits is not None  # there were some when it was recorded
        return logits[self.row]

    def inputs(self) -> dict[str, LayerInputs]:
        """See `ForwardPass.inputs`; layers that attend in windows are left out."""
        kept: dict[str, LayerInputs] = {}

        def keep(place: Place, seen: Seen) -> None:
            if seen.x is not None and seen.memory is not None and seen.x.shape[0] == self.batch:
                kept[place.name] = LayerInputs(seen.x[self.row], seen.memory[self.row])

        self._watch(keep)
        return kept

    @property
    def blocks(self) -> Blocks:
        """Blocks of the model whose attention is known."""
        return blocks_of(self.model, self.structure)

    def block_of(self, site: str) -> BlockPlace | None:
        """See `EditablePass.block_of`."""
        return next(self.structure.block_of(place) for place in self.structure.places.values() if place.name == site)

    def streams(self) -> dict[BlockPlace, Any]:
        """See `EditablePass.streams`."""
        with self.model.lock:
            self._check_model()
            with self._running(), listening(lambda call, _: None), keeping(self.blocks) as kept:
                streams, output = self._run()
            self._check_numbers([self._end_error(streams, output)])
        return kept

    def logits_of(
        self, rows: Rows, at: int | slice, begin: BlockPlace | None, kept: Mapping[BlockPlace, Any]
    ) -> Tensor:
        """See `EditablePass.logits_of`; for a pass of one row."""
        structure, n = self.structure, len(rows)
        edits = [(*self.edits, *more) for more in rows]
        inputs = {name: torch.cat([tensor] * n) for name, tensor in self.given.items()}
        skipped = () if begin is None else list(kept)[: list(kept).index(begin)]
        start = starting_at(begin, kept, self.blocks, n)
        changed = edited(self.model, structure, edits, skipped)
        with self.model.running(), silenced(self._tellers), changed, start:
            if structure.ends_plainly and structure.unembedding is not None:
                logits: Tensor | None = structure.unembedding(self.model.stream(inputs)[:, at])
            else:
                logits = logits_of(self.model.forward(inputs))
                logits = logits if logits is None or logits.ndim == 2 else logits[:, at]
        assert logits is not None  # the caller has seen some
        return logits

    def written(self) -> Written:
        """See `ForwardPass.written`."""
        ids = [self.given[name] for name in ("input_ids", "decoder_input_ids") if name in self.given]
        sites = {site.name: site for site in self.sites}
        with self.model.lock:
            state = self._parameters.state, self.structure.layout
            tape, error = write_down(self._show, ids, self.model.network, state)
        ran = []
        for place in self._places_of(tape):
            heads = sites[place.name].n_heads if place.name in sites else 0
            windows = "" if heads else ".w"  # it has none, so it has no name either
            ran.append(Ran(place.name + windows, place.stack, place.layer, place.queries, place.keys, heads))
        return Written(self.model.name, ran, tape.attended, tape.ended, self.row, error, self._limit)

    def _places_of(self, tape: Tape) -> list[Place]:
        """Return the places of the attentions of a tape."""
        turns, names = Counter[str](), self.model.module_names
        found = []
        for attended in tape.attended:
            path = names.get(attended.module, "")
            found.append(self.structure.places[path, turns[path]])
            turns[path] += 1
        return found

    def _show(self, tape: Tape) -> None:
        """Run the same model again, shown to a tape."""
        self._check_model()

        def heard(call: InterfaceCall, context: Tensor) -> None:
            tape.attend(call.module, call.q, call.k, context, head_axis=2)

        watched = listening(heard), standing_in(tape.inside)
        with self._running(), torch.inference_mode(False), torch.no_grad(), watched[0], watched[1], tape:
            streams, _ = self._run()
        if len(streams) == 1:
            tape.end(streams[0])

    @property
    def _limit(self) -> float:
        return tolerance(self.sites[0].q.dtype)

    def ended(self) -> tuple[HeldLayer, Tensor] | None:
        """See `ForwardPass.ended`."""
        return None if self._stream is None else (self._head, self._stream)

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        """See `ForwardPass.proof`; rows whose keys are all masked are left out."""
        waiting = list(reversed(sites))
        entries: list[ProofEntry] = []

        def compare(place: Place, seen: Seen) -> None:
            parts = seen.call.q.shape[0] // self.batch
            for index in range(self.row * parts, (self.row + 1) * parts):
                site = waiting.pop()
                context = context_error(site, seen.context[index].transpose(0, 1))
                output = self._output_error(site, place, seen, index)
                if place.inputs is not None and not still_holds(seen, place.inputs):
                    output = float("inf")  # q, k and v are made in another way by now
                entries.append(ProofEntry(site.name, context, output, tolerance(site.q.dtype)))

        self._watch(compare)
        return entries

    def _output_error(self, site: AttentionSite, place: Place, seen: Seen, index: int) -> float:
        """Error of the heads' outputs against what the layer itself made; 0 where they are not shown at all."""
        w_o, projection = site.w_o, place.projection
        if w_o is None or projection is None:
            return 0.0
        reader = next((reader for reader in seen.readers if reader.name == projection.module), None)
        if reader is None or reader.output is None or not seen.arrives(reader, tolerance(site.q.dtype)):
            return float("inf")  # the layer does something else by now
        bias = matrix_of(reader.module)[1] if projection.weight is None else projection.bias
        made = reader.output.reshape(*seen.context.shape[:2], -1)[index]
        return output_error(site, w_o, bias, made)

    def _watch(self, take: Callable[[Place, Seen], None] | None = None) -> Any:
        """Run the same model again, look closely, and hold its numbers to those of the trace.

        Returns:
            The outputs of the model.
        """
        with self.model.lock:
            return self._watch_alone(take)

    def _watch_alone(self, take: Callable[[Place, Seen], None] | None) -> Any:
        self._check_model()
        places, waiting = self.structure.places, iter(self.sites)
        errors: list[float] = []

        def compare(seen: Seen) -> None:
            place = places[seen.module, seen.turn]
            parts = seen.call.q.shape[0] // self.batch
            for index in range(self.row * parts, (self.row + 1) * parts):
                q, k, v = (tensor[index] for tensor in (seen.call.q, seen.call.k, seen.call.v))
                errors.append(next(waiting).difference(q, k, v))
            if take is not None:
                take(place, seen)

        inspection = Inspection(self.model.network, set(), compare)
        with self._running(), inspection.watch():
            streams, output = self._run()
        self._check_numbers([*errors, self._end_error(streams, output)])
        return output

    def _check_model(self) -> None:
        self._parameters.check()
        if not self.structure.fits(self.model.network):
            raise ModelChanged(self.model.name, type(self.model.network).__name__)

    def _end_error(self, streams: list[Tensor], output: Any) -> float:
        """Return the difference of what another run ends with from what was recorded."""
        if self._stream is not None:
            with self.model.running():
                self._head(self._stream[:0])
            return difference(self._stream, streams[0][self.row])
        return 0.0 if self._logits is None else difference(self._logits, self._row(output))

    def _check_numbers(self, errors: list[float]) -> None:
        if not worst(errors) <= tolerance(self.sites[0].q.dtype):
            raise ModelChanged(self.model.name, Why("numbers"))
