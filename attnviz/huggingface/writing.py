"""Writing with a Hugging Face model, step by step with its cache; transformers prepares, the search decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from attnviz.errors import DoesNotWrite, TargetNotAllowed, TextTooLong
from attnviz.guard import guarded, passes_on
from attnviz.huggingface.chat import prompt_of, template_of
from attnviz.huggingface.editing import blocks_of
from attnviz.huggingface.generation import WrittenPass, whole_inputs
from attnviz.huggingface.given import check_inputs
from attnviz.huggingface.interface import editing
from attnviz.huggingface.labels import BROKEN
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.positions import silenced, tellers_of
from attnviz.huggingface.reading import Reading, of_inputs, read
from attnviz.huggingface.steps import Steps
from attnviz.huggingface.tracing import make_trace
from attnviz.texts import check_text
from attnviz.trace.edit import Edit, NoPositions, StreamEdit, changing_streams, check_edits, of_decoder, while_writing
from attnviz.writing import Plan, Scoring, Search, Written, search, written
from attnviz.writing.own import unreached

__all__ = ["write"]


def write(
    model: HuggingFaceModel,
    text: str | Mapping[str, Tensor],
    plan: Plan,
    edits: Sequence[Edit] = (),
    image: Any = None,
    row: int = 0,
    target: str = "",
) -> Written:
    """Have a Hugging Face model write; see `attnviz.write`.

    Args:
        text: text, or inputs by name that are made already, padded as the tokenizer pads.
        row: the row of those inputs that is written on.
        target: the beginning of the target, of an encoder-decoder.
    """
    if not isinstance(text, Mapping):
        check_text(text)
    check_text(target)
    with guarded(model.name):
        if not model.writes:
            raise DoesNotWrite(model.name, type(model.network).__name__)
        if target and not model.has_decoder:
            raise TargetNotAllowed(model.facts.kind)
        if isinstance(text, str):
            prompt, templated = _prompt(model, text, plan)
            reading = read(model, prompt, target, image, begins=True, added=not templated)
            if reading.main != "decoder":
                raise DoesNotWrite(model.name, type(model.network).__name__)
            return _write(model, replace(reading, text=text), prompt, templated, plan, edits)
        check_inputs(model, text, row)
        reading = of_inputs(model, {name: tensor[row : row + 1] for name, tensor in text.items()}, 0)
        return _write(model, reading, "", False, plan, edits)


def _prompt(model: HuggingFaceModel, text: str, plan: Plan) -> tuple[str, bool]:
    """Return what a model reads of a text, and whether that is its chat template."""
    if not (plan.template and template_of(model) and text.strip()):
        return text, False
    return prompt_of(model, text), True


def _write(
    model: HuggingFaceModel, reading: Reading, prompt: str, templated: bool, plan: Plan, edits: Sequence[Edit]
) -> Written:
    # a target that nobody began is begun by the model itself, as its configuration says
    inputs = {name: ids for name, ids in reading.inputs.items() if name != "decoder_input_ids" or reading.target}
    structure = model.look(reading.inputs)
    told = not any(isinstance(edit, NoPositions) for edit in edits)
    tellers = frozenset() if told else tellers_of(model, structure)
    check_edits(edits, list(structure.places.values()), blocks_of(model, structure), model.name)
    steps = Steps(model, structure, edits=edits)
    loop = _Loop(model, steps, plan, edits)
    begun = inputs.get("decoder_input_ids") if model.has_decoder else inputs["input_ids"]
    first = 1 if begun is None else begun.shape[1]
    room = plan.max_new if model.max_len is None else min(plan.max_new, model.max_len - first)
    if room < 1:
        raise TextTooLong(first, (model.max_len or 0) - 1)
    source = [edit for edit in edits if isinstance(edit, StreamEdit) and not of_decoder(edit)]
    with model.lock, silenced(tellers), editing(steps.keep), changing_streams([source], blocks_of(model, structure)):
        beams = plan.beams if plan.strategy == "beam" else 1
        model.write(inputs, room, num_beams=beams, use_cache=True, custom_generate=loop.run)
    return _finished(
        model, reading, prompt, templated, plan, edits, steps, loop, whole_inputs(model, inputs, loop.read)
    )


class _Loop:
    """Stand for the search: transformers calls it with a model's inputs, its cache and its rules."""

    found: Search
    read: Tensor
    n_outputs: int

    def __init__(self, model: HuggingFaceModel, steps: Steps, plan: Plan, edits: Sequence[Edit]) -> None:
        self._model, self._steps, self._plan = model, steps, plan
        self._streams = [edit for edit in edits if isinstance(edit, StreamEdit) and of_decoder(edit)]
        self._blocks = blocks_of(model, steps.structure)

    @passes_on
    def run(
        self,
        network: Any,
        input_ids: Tensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **kwargs: Any,
    ) -> Tensor:
        """Write: the argument of `generate` that is called `custom_generate`."""
        given = generation_config.eos_token_id
        ends = given if isinstance(given, list | tuple) else [] if given is None else [given]
        scoring = Scoring(generation_config.length_penalty, generation_config.early_stopping)
        room = generation_config.max_length - input_ids.shape[1]
        found = self.found = search(self._plan, ends, room, scoring)
        prompt, ids, start = input_ids[:1], input_ids, 0

        def rules(scores: Tensor) -> Tensor:
            return logits_processor(ids, scores.clone()) if len(logits_processor) else scores

        while not found.done:
            given = network.prepare_inputs_for_generation(
                ids, next_sequence_length=1 if start else None, is_first_iteration=not start, **kwargs
            )
            with ExitStack() as stack:
                stack.enter_context(self._streams_changed(start, ids))
                output = network(**given, return_dict=True)
            whole = network.config.is_encoder_decoder
            kwargs = network._update_model_kwargs_for_generation(output, kwargs, is_encoder_decoder=whole)
            start = ids.shape[1]
            move = found.move(output.logits[:, -1].float(), rules)
            self.n_outputs = output.logits.shape[-1]
            del output  # the scores of a whole prompt are large
            if not found.done:
                parents = torch.tensor(move.parents, device=ids.device)
                tokens = torch.tensor(move.tokens, device=ids.device)
                ids = torch.cat([ids[parents], tokens[:, None]], dim=1)
                self._reorder(network, kwargs, move.parents, parents)
        self.read = torch.cat([prompt, prompt.new_tensor([found.tokens[:-1]])], dim=1)
        return self.read

    def _streams_changed(self, start: int, ids: Tensor) -> Any:
        inside = [edit.within(start, ids.shape[1]) for edit in self._streams]
        return changing_streams([[edit for edit in inside if edit is not None]] * len(ids), self._blocks)

    def _reorder(self, network: Any, kwargs: Mapping[str, Any], parents: list[int], index: Tensor) -> None:
        """Have the cache follow the rows that go on."""
        self._steps.moved(parents)
        if parents == list(range(len(parents))):
            return
        cache = kwargs["past_key_values"]
        if hasattr(network, "_reorder_cache"):
            network._reorder_cache(cache, index)
        else:
            cache.reorder_cache(index)


def _finished(
    model: HuggingFaceModel,
    reading: Reading,
    prompt: str,
    templated: bool,
    plan: Plan,
    edits: Sequence[Edit],
    steps: Steps,
    loop: _Loop,
    whole: Mapping[str, Tensor],
) -> Written:
    """Return the trace of what was read and written."""
    found, n = loop.found, loop.read.shape[1]
    forward_pass = WrittenPass(model, whole, 0, while_writing(edits, n))
    sites = steps.sites(found.rows, lambda place: forward_pass.weights_now(place))
    made = of_inputs(model, whole, 0)
    continuation = _after(model, loop.read[0].tolist()[: n - len(found.tokens) + 1], found.tokens)
    begun = reading.target or ""
    target = begun + continuation if model.has_decoder else None
    made = replace(made, text=reading.text, image=reading.image, target=target, target_generated=not begun)
    trace = make_trace(model, made, sites, forward_pass, torch.Size((1, n, loop.n_outputs)))
    ids, specials = trace.token_ids, trace.sequences[trace.main].specials
    return written(
        trace,
        plan=plan,
        prompt=begun or prompt,
        continuation=continuation,
        whole=continuation if templated else reading.text + continuation if target is None else target,
        steps=tuple(found.steps),
        beams=tuple(found.beams),
        path=tuple(found.path),
        ended=found.ended,
        templated=templated,
        doubled=trace.tokens[0] if len(ids) > 1 and ids[0] == ids[1] and {0, 1} <= set(specials) else "",
        unreached=unreached(edits, n),
    )


def _after(model: HuggingFaceModel, before: list[int], tokens: list[int]) -> str:
    """Return the text of tokens that stand after others; their first blank belongs to them."""
    if model.tokenizer is None:
        return ""

    def decoded(ids: list[int]) -> str:
        text = model.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)  # type: ignore[union-attr]
        return str(text)

    start, whole = decoded(before), decoded([*before, *tokens])
    return (whole.removeprefix(start) if whole.startswith(start) else decoded(tokens)).rstrip(BROKEN)
