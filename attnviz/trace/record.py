"""Recording a forward pass of our own networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from attnviz.errors import EditMeansNothing, EmptyText, ModelChanged, NotSplit, TargetNotAllowed, TextTooLong
from attnviz.errors.base import Why
from attnviz.models import (
    AttentionCall,
    Convolutional,
    Network,
    Recorder,
    Recurrent,
    SequenceModel,
    Transformer,
    generate,
)
from attnviz.models.call import StateRecorder, editing
from attnviz.tokenizers import Tokenizer
from attnviz.trace.calls import BlockPlace, Blocks, standing_in
from attnviz.trace.compare import difference, largest, worst
from attnviz.trace.edit import (
    Edit,
    NoPositions,
    Rows,
    changing_streams,
    check_edits,
    check_kinds,
    edits_at,
    keeping,
    starting_at,
)
from attnviz.trace.model_trace import Outputs, Trace, in_rows
from attnviz.trace.passes import LayerInputs, ProofEntry
from attnviz.trace.site import Additive, AttentionSite, SiteEdit, hold_only_these
from attnviz.trace.states import LayerStates, layer_states
from attnviz.trace.tokens import Grid, Tokens
from attnviz.trace.weights import HeldLayer, HeldMatrix, Parameters
from attnviz.vectors import Reader, Vectors
from attnviz.why.sides import Ran
from attnviz.why.tape import Tape
from attnviz.why.written import Written, write_down

__all__ = ["check_positions", "edited", "trace", "trace_ids"]

Shown = Callable[[AttentionCall, Tensor], None]

READOUT = "readout"
SAME = 1e-4  # how far the numbers of one model may be apart in two passes, relative to the largest
READOUT_LABEL = "<state>"  # of the one that asks where attention pools


@torch.inference_mode()
def trace(model: SequenceModel, text: str, target: str | None = None, edits: Sequence[Edit] = ()) -> Trace:
    """Run a model on a text and keep what is needed to show every number of its attention.

    Args:
        model: model from `load_model`.
        text: what the model reads; the source of an encoder-decoder.
        target: of an encoder-decoder: what its decoder reads. None or blank: the model writes it itself, greedily,
            and `Trace.target_generated` says so.
        edits: changes of the forward pass, from `attnviz.edits`.

    Returns:
        A Trace whose sites refer to the q, k and v of this forward pass.

    Raises:
        EmptyText, UnknownSymbols, TextTooLong: the text cannot be read whole.
        TargetNotAllowed: a target for a model that reads one text.
        EditError: the model has not what an edit changes.

    Example:
        >>> import attnviz
        >>> model = attnviz.load_model("zoo/reverse")
        >>> attnviz.trace(model, "g f e d c").sites[0].weights(0).shape
        torch.Size([6, 6])
    """
    generated = False
    if model.source_tokenizer is None:
        if target is not None and target.strip():
            raise TargetNotAllowed(model.config.architecture)
        source_ids, token_ids, features = None, model.tokenizer.encode(text), model.tokenizer.features(text)
    else:
        source_ids = model.source_tokenizer.encode(text)
        _check_length(source_ids, model.config.source_max_len)
        if target is None or not target.strip():
            target, generated = generate(model, text), True
        symbols = model.tokenizer.split(target)
        assert isinstance(model.tokenizer, Tokenizer)  # what an encoder-decoder writes are symbols
        token_ids = [model.tokenizer.bos_id] * model.tokenizer.add_bos + model.tokenizer.encode_symbols(symbols)
        features = None
    _check_length(token_ids, model.config.max_len)
    if not token_ids:
        raise EmptyText
    target = None if source_ids is None else target
    return trace_ids(model, (text, target), token_ids, source_ids, features, edits, generated)


@torch.inference_mode()
def trace_ids(
    model: SequenceModel,
    texts: tuple[str, str | None],
    token_ids: Sequence[int],
    source_ids: Sequence[int] | None = None,
    features: Tensor | None = None,
    edits: Sequence[Edit] = (),
    generated: bool = False,
) -> Trace:
    """Trace a model on ids that are made already.

    Args:
        texts: the text and the target that they stand for.
        token_ids: what the model reads last.
        source_ids: what the encoder of an encoder-decoder reads; None for other models.
        features: numbers that come with the tokens (T, n_features).
        edits: changes of the forward pass.
        generated: the model wrote the target itself.

    Raises:
        EditError: the model has not what an edit changes.
    """
    source = None if source_ids is None else tuple(source_ids)
    forward_pass = OwnPass(model, tuple(token_ids), source, features, tuple(edits))
    sites = forward_pass.record()
    main = "encoder" if model.config.architecture == "encoder" else "decoder"
    sequences = {main: _tokens(model.tokenizer, token_ids, features)}
    if source_ids is not None and model.source_tokenizer is not None:
        sequences = {"encoder": _tokens(model.source_tokenizer, source_ids), **sequences}
    if any(site.queries == READOUT for site in sites):
        sequences[READOUT] = Tokens((), (READOUT_LABEL,), specials=(0,))
    return Trace(
        model=model,
        text=texts[0],
        target=texts[1],
        target_generated=generated,
        sequences=sequences,
        main=main,
        sites=tuple(sites),
        outputs=_outputs(model, main),
        forward_pass=forward_pass,
        image=_image(model.tokenizer, features),
        look_at_states=forward_pass.states,
        edits=forward_pass.edits,
    )


@contextmanager
def edited(network: Network, rows: Rows, shown: Shown | None = None) -> Iterator[None]:
    """Let forward passes of this thread be changed as the edits of each row say; without any, nothing is done.

    Args:
        shown: is shown each attention call, and the contexts that go on.
    """
    if not any(rows) and shown is None:
        yield
        return
    with editing(_Editor(rows, shown)), changing_streams(rows, blocks_of(network)):
        yield


def blocks_of(network: Network) -> Blocks:
    """Return the blocks of a Transformer; other networks have none."""
    if not isinstance(network, Transformer):
        return {}
    stacks = {"encoder": network.encoder, "decoder": network.decoder}
    return {
        (block, 0): BlockPlace(name, layer)
        for name, stack in stacks.items()
        if stack is not None
        for layer, block in enumerate(stack.blocks)
    }


def check_positions(model: SequenceModel, edits: Sequence[Edit]) -> None:
    """See that all are edits, and that a model is told positions, where they are to be left out.

    Raises:
        EditMeansNothing: it is not.
        EditMisfit: one is no edit.
    """
    check_kinds(edits)
    network = model.network
    told = isinstance(network, Transformer) and network.config.positions != "none"
    if not told and any(isinstance(edit, NoPositions) for edit in edits):
        raise EditMeansNothing(model.card.name, Why("no-positions"))


def _outputs(model: SequenceModel, main: str) -> Outputs:
    """Say what the outputs stand for: values, one label of the whole, a label for each token, or tokens."""
    label = model.labels.__getitem__ if model.labels else model.tokenizer.label
    if model.config.predicts == "values":
        return Outputs("values", main, label)
    if model.config.pooling != "none":
        return Outputs("label", main, label)
    if model.labels:
        return Outputs("labels", main, label)
    return Outputs("same" if main == "encoder" else "next", main, label)


def _tokens(reader: Reader, ids: Sequence[int], features: Tensor | None = None) -> Tokens:
    specials = tuple(position for position, index in enumerate(ids) if index < reader.n_specials)
    grid = None
    if isinstance(reader, Vectors) and reader.layout != "series":
        rows, columns = reader.grid or (1, len(ids) - len(specials))
        grid = Grid(rows, columns, offset=len(specials)) if rows * columns == len(ids) - len(specials) else None
    return Tokens(tuple(ids), reader.labels(ids, features), specials, grid=grid)


def _image(reader: Reader, features: Tensor | None) -> np.ndarray | None:
    """Return a sequence of numbers as a grey image (height, width, 3); None if it is neither picture nor sound."""
    levels = reader.image(features) if isinstance(reader, Vectors) and features is not None else None
    return None if levels is None else levels.numpy()[..., None].repeat(3, axis=2)


def _check_length(ids: list[int], limit: int | None) -> None:
    if limit is not None and len(ids) > limit:
        raise TextTooLong(len(ids), limit)


def _site(
    call: AttentionCall, model: SequenceModel | None, edits: tuple[SiteEdit, ...] = (), row: int = 0
) -> AttentionSite:
    """Return one row of a call as a site; without the model, its matrices are of no interest."""
    layer = call.layer
    q, k, v = hold_only_these(call.q[row], call.k[row], call.v[row])

    def held(name: str, weight: Tensor | None) -> HeldMatrix | None:
        if weight is None or model is None:
            return None
        return HeldMatrix(model.network, model.card.name, f"{layer.name}: {name}", weight)

    additive = None if layer.additive is None else Additive(*(weight.detach().clone() for weight in layer.additive))
    return AttentionSite(
        name=layer.name,
        layer=layer.index,
        stack=layer.stack,
        kind=layer.kind,
        queries=layer.stack,
        keys=layer.keys,
        scoring=layer.scoring,
        q=q,
        k=k,
        v=v,
        w_o=held("W_O", layer.w_o),
        w_in=held("W_Q, W_K, W_V", layer.w_in),
        b_in=held("b_Q, b_K, b_V", layer.b_in),
        scale=layer.scale,
        mask=call.mask,
        additive=additive,
        rotary=call.rotary,
        projection=layer.projection,
        edits=edits,
    )


@dataclass(frozen=True)
class _Editor:
    """Changes the forward passes of our own networks; see `attnviz.models.call.Editor`.

    Attributes:
        rows: the edits of each row.
        shown: is shown each call and the contexts that go on.
    """

    rows: Rows
    shown: Shown | None = None

    @property
    def positions(self) -> bool:
        return not any(isinstance(edit, NoPositions) for edits in self.rows for edit in edits)

    def context(self, call: AttentionCall) -> Tensor:
        contexts = call.context
        for row, edits in enumerate(self.rows):
            here = edits_at(edits, call.layer.name)
            if here:
                contexts = contexts.clone() if contexts is call.context else contexts
                contexts[row] = _site(call, None, here, row).edited(contexts[row])
        if self.shown is not None:
            self.shown(call, contexts)
        return contexts


def editing_rows(rows: Rows) -> AbstractContextManager[None]:
    """Let every forward pass of our own networks in this thread be changed, each row of a batch by its edits."""
    return editing(_Editor(rows))


@dataclass(eq=False)
class OwnPass:
    """A forward pass of one of our own models, which can be run again.

    Attributes:
        stream: what the unembedding reads (T, d_model); (1, d_model) where a sequence is pooled.
    """

    model: SequenceModel
    token_ids: tuple[int, ...]
    source_ids: tuple[int, ...] | None
    features: Tensor | None
    edits: tuple[Edit, ...] = ()
    row: ClassVar[int] = 0

    @torch.inference_mode()
    def record(self) -> list[AttentionSite]:
        """Run the model, and keep its sites and the last residual stream."""
        network, name = self.model.network, self.model.card.name
        sites: list[AttentionSite] = []

        def keep(call: AttentionCall) -> None:
            sites.append(_site(call, self.model, edits_at(self.edits, call.layer.name)))

        check_positions(self.model, self.edits)
        self.stream = self._run([self.edits], record=keep)[0]
        check_edits(self.edits, sites, self.blocks, name)
        self._sites = sites
        self._parameters = Parameters(network, name)
        self._unembedding = HeldLayer(network, name, network.unembedding, self.stream)
        return self._sites

    def under(self, edits: Sequence[Edit]) -> tuple[OwnPass, list[AttentionSite]]:
        """See `EditablePass.under`."""
        ran = OwnPass(self.model, self.token_ids, self.source_ids, self.features, tuple(edits))
        return ran, ran.record()

    @torch.inference_mode()
    def _again(self, take: Recorder | None = None, watch: StateRecorder | None = None) -> None:
        """Run the same model again, and hold its numbers to those that were recorded."""
        self._parameters.check()
        errors: list[float] = []

        def compare(call: AttentionCall) -> None:
            errors.append(self._sites[len(errors)].difference(call.q[0], call.k[0], call.v[0]))
            if take is not None:
                take(call)

        watching: dict[str, Any] = {} if watch is None else {"watch": watch}
        stream = self._run([self.edits], record=compare, **watching)[0]
        if not worst([*errors, difference(self.stream, stream)]) <= SAME:
            raise ModelChanged(self.model.card.name, Why("numbers"))

    def _run(self, rows: Rows, shown: Shown | None = None, **watching: Any) -> Tensor:
        """Run the network on the text once for each row, changed as that row's edits say: (B, T, d_model)."""
        tokens, source, features = self._given(len(rows))
        with edited(self.model.network, rows, shown):
            stream: Tensor = self.model.network.stream(tokens, source, features=features, **watching)
        return stream

    @property
    def blocks(self) -> Blocks:
        """Blocks of the network; see `blocks_of`."""
        return blocks_of(self.model.network)

    def block_of(self, site: str) -> BlockPlace | None:
        """See `EditablePass.block_of`."""
        stack, layer, _ = site.split(".")
        place = BlockPlace(stack, int(layer))
        return place if place in self.blocks.values() else None

    def streams(self) -> dict[BlockPlace, Any]:
        """See `EditablePass.streams`."""
        with keeping(self.blocks) as kept:
            self._again()
        return kept

    @torch.inference_mode()
    def logits_of(
        self, rows: Rows, at: int | slice, begin: BlockPlace | None, kept: Mapping[BlockPlace, Any]
    ) -> Tensor:
        """See `EditablePass.logits_of`."""
        with starting_at(begin, kept, self.blocks, len(rows)):
            stream = self._run([(*self.edits, *edits) for edits in rows])
        logits: Tensor = self.model.network.unembedding(stream[:, at])
        return logits

    def _given(self, n: int) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return n rows of the tokens (n, T), source (n, Ts) and features (n, T, n_features) of the pass."""
        source = None if self.source_ids is None else torch.tensor([self.source_ids] * n)
        features = None if self.features is None else self.features.expand(n, -1, -1)
        return torch.tensor([self.token_ids] * n), source, features

    @property
    def nbytes(self) -> int:
        """Bytes of the stream."""
        return self.stream.untyped_storage().nbytes()

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        """See `ForwardPass.logits`; computed from the stream."""
        for part in in_rows(self.stream, rows):
            with torch.inference_mode():
                logits = self._unembedding(part)
            yield logits

    def inputs(self) -> dict[str, LayerInputs]:
        """See `ForwardPass.inputs`."""
        kept: dict[str, LayerInputs] = {}

        def keep(call: AttentionCall) -> None:
            kept[call.layer.name] = LayerInputs(call.x[0], call.memory[0])

        self._again(keep)
        return kept

    @torch.inference_mode()
    def states(self) -> list[LayerStates]:
        """Return the gates and states of the recurrent layers, from the model run again; empty without any."""
        found = list[LayerStates]()
        if isinstance(self.model.network, Recurrent):
            self._again(watch=lambda call: found.extend(layer_states(call)))
        return found

    def written(self) -> Written:
        """See `ForwardPass.written`."""
        name = self.model.card.name
        if isinstance(self.model.network, Recurrent):
            raise NotSplit(name, Why("split-recurrent"))
        if isinstance(self.model.network, Convolutional):
            raise NotSplit(name, Why("split-convolutional"))
        ids = [torch.tensor(ids) for ids in (self.token_ids, self.source_ids) if ids is not None]
        tape, error = write_down(self._show, ids, self.model.network, self._parameters.state)
        ran = [Ran(site.name, site.stack, site.layer, site.queries, site.keys, site.n_heads) for site in self._sites]
        return Written(name, ran, tape.attended, tape.ended, self.row, error, SAME)

    def _show(self, tape: Tape) -> None:
        """Run the same model again, shown to a tape."""
        self._parameters.check()

        def shown(call: AttentionCall, contexts: Tensor) -> None:
            tape.attend(call.layer, call.q, call.k, contexts, head_axis=1)

        with torch.inference_mode(False), torch.no_grad(), standing_in(tape.inside), tape:
            stream = self._run([self.edits], shown)
        tape.end(stream)

    def ended(self) -> tuple[HeldLayer, Tensor] | None:
        """See `ForwardPass.ended`."""
        return self._unembedding, self.stream

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        """Compare context and output of every head with the layer's own; see `ForwardPass.proof`."""
        entries: list[ProofEntry] = []

        def compare(call: AttentionCall) -> None:
            site = sites[len(entries)]
            chains = [site.chain(head) for head in range(site.n_heads)]
            context_error = worst(largest(c.context - call.context[0, head]) for head, c in enumerate(chains))
            output_error = 0.0
            if call.output is not None:
                shares = [chain.output for chain in chains if chain.output is not None]
                bias = 0.0 if call.layer.b_o is None else call.layer.b_o
                output_error = largest(torch.stack(shares).sum(0) + bias - call.output[0])
            entries.append(ProofEntry(site.name, context_error, output_error))

        self._again(compare)
        return entries
