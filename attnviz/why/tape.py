"""Recording a forward pass as steps from writings to queries, keys and outputs, whatever model it is of.

Every function of torch that the pass calls in this thread is seen by a `TorchFunctionMode`; no name of a model, hook or
gradient is needed. What a function is, its name says: those that are linear keep their arguments, so that they can be
run again on other numbers; the norms of torch are a linear step and a statistic; whatever else is given something of
the stream makes a statistic, if its last axis is 1, or a new writing.

Source:
    Scores as sums over what earlier parts wrote: Elhage et al. 2021, "A Mathematical Framework for Transformer
    Circuits"; the scale of a norm held at its value: nostalgebraist 2020; Nanda & Bloom 2022 (TransformerLens).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from attnviz.guard import passes_on
from attnviz.why.functions import (
    ARRANGES,
    CONSTANT,
    DATA,
    EMPTY,
    JOINS,
    LIKE,
    LINEAR,
    NORMS,
    PRODUCTS,
    QUOTIENTS,
    SAME,
    SUMS,
    TIMES,
    again,
    drops,
    fixed,
    has_memory,
    has_numbers,
    name_of,
    tensors_of,
)  # fmt: skip
from attnviz.why.known import Known, memory_of
from attnviz.why.maps import Arranged, Call, Matrix, Slot, Sum, Times
from attnviz.why.results import Results
from attnviz.why.rewritten import REWRITTEN
from attnviz.why.steps import Origin, Step, Writing, evaluate, reached, widened

__all__ = ["Attended", "Tape"]


class Attended(NamedTuple):
    """One call of an attention: its module, q and k (None: nothing of the stream), and the writing of its heads."""

    module: nn.Module
    q: Step | None
    k: Step | None
    heads: Step


@dataclass
class _Taken:
    """Steps among the arguments of a call, the arguments with slots in their place, and whether there are choices."""

    steps: list[Step]
    args: Any
    kwargs: Any
    choices: bool = False


class Tape(TorchFunctionMode):
    """Records one forward pass of this thread; see the module.

    Args:
        texts: ids of tokens that the model is given.
        again: tape of the same pass, whose writings are given again with other strengths while its statistics and
            choices are held: the model itself then computes what linearity predicts.
        repeated: it can be the first of two.

    Attributes:
        attended: attentions, in the order in which they ran.
        ended: what the unembedding read.
        writings: all writings, in the order of the pass.
        held: all statistics, likewise.
        numbers: q and k of each attention of a second pass.
        calls: name of each function that was given something of the stream, and the numbers of those steps.
    """

    def __init__(self, texts: Sequence[Tensor] = (), again: Tape | None = None, repeated: bool = False) -> None:
        super().__init__()
        self.attended: list[Attended] = []
        self.ended: Step | None = None
        self.writings: list[Step] = []
        self.held: list[Step] = []
        self.modules: list[nn.Module] = []
        self.numbers: list[tuple[Tensor, Tensor]] = []
        self.calls: list[tuple[str, tuple[int, ...]]] = []
        self._texts = texts
        self._results: Results = Results(None if again is None else again._results, repeated)
        self._tables: set[int] = set()  # of embeddings of tokens
        self._steps = 0
        self._known = Known()

    # what others tell it

    def inside(self, module: nn.Module, run: Callable[[], Any]) -> Any:
        """Run a module, and know meanwhile that it runs."""
        self.modules.append(module)
        try:
            return run()
        finally:
            self.modules.pop()

    def attend(self, module: nn.Module, q: Tensor, k: Tensor, context: Tensor, head_axis: int) -> None:
        """Take the context vectors of an attention as what its heads wrote."""
        heads = self._write("heads", "attention", context, len(self.attended), head_axis)
        self._known.put(context, heads)
        self.attended.append(Attended(module, self._known.get(q), self._known.get(k), heads))
        if self._results.again is not None:
            self.numbers.append((q, k))

    def end(self, stream: Tensor) -> None:
        """Take what the unembedding reads."""
        self.ended = self._known.get(stream)

    def close(self) -> None:
        """Forget all that leads to no query, key or output."""
        targets = [step for one in self.attended for step in (one.q, one.k)] + [self.ended]
        for target in targets:
            for step in () if target is None else reached(target):
                step.source, step.inputs, step.run = True, (), None
        for step in self.writings:
            if not step.source and step.run is not None:
                step.value = None
        self._known.clear()

    # what torch tells it

    @passes_on
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = name_of(func)
        if not all(map(has_memory, tensors_of((args, kwargs)))):
            return func(*args, **kwargs)  # what it makes is of nothing that is known
        if name in EMPTY:
            return func(*args, **kwargs).zero_()
        taken = self._take(args, kwargs)
        if not taken.steps:
            return (self._decided if taken.choices else self._begun)(func, name, args, kwargs)
        result = self._called(func, name, args, kwargs, taken)
        for one in () if name.endswith(CONSTANT) else tensors_of(result):
            if not has_numbers(one):
                self._known.choose(one)
        return result

    def _called(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], taken: _Taken) -> Any:
        """Run a function of something of the stream, and record what it is."""
        self.calls.append((name, tuple(step.at for step in taken.steps)))
        if name.endswith(CONSTANT):
            return func(*args, **kwargs)
        if name in SAME or name in LIKE or (name == "dropout" and not drops(args, kwargs)):
            return self._same(func, name, args, kwargs)
        plain = name.removesuffix("_")
        writes = plain != name or name == "setitem"
        written = tensors_of(args[0] if writes else kwargs.get("out"))
        for one in written:
            self._known.before_writing(one)
        others = [(other, self._known.get(other)) for one in written for other in self._known.sharing(one)]
        result = self._made(func, plain, args, kwargs, taken, writes)
        for other, before in others:
            if self._known.get(other) is before:
                self._known.put(other, self._write("made", name, other))
        return result

    def _made(
        self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], taken: _Taken, writes: bool
    ) -> Any:
        """Run a function on something of the stream, and record what it is."""
        linear = [step for step in taken.steps if step.kind != "statistic"]
        plainly = kwargs.get("out") is None and self._is_linear(name, args, kwargs, taken, linear)
        if linear and name in SUMS and len(args) == 2 and _adds(kwargs):
            return self._sum(func, name, args, kwargs, writes)
        if linear and name == "addmm" and not kwargs and self._known.get(args[1]) is not None and len(taken.steps) == 1:
            return self._addmm(func, args)
        if linear and name == "linear" and self._known.get(args[0]) is not None and len(taken.steps) == 1:
            return self._linear(func, args, kwargs)
        if linear and name in NORMS and not writes:
            return self._norm(func, name, args, kwargs)
        if linear and name == "setitem" and len(args) == 3:
            return self._setitem(func, args)
        if linear and name == "copy" and writes and len(args) == 2 and self._fills(*args):
            return self._copied(func, args)
        if plainly and name in TIMES and len(args) == 2 and not kwargs and not linear[0].is_complex:
            return self._times(func, name, args, linear[0])
        if (
            plainly
            and name in ("matmul", "mm")
            and self._known.get(args[0]) is linear[0]
            and self._is_constant_matrix(args[1])
        ):
            result = func(*args, **kwargs)
            return self._tracked(result, self._step("linear", result.shape, linear, Matrix(fixed(args[1]).T)))
        if plainly:
            if name in JOINS:
                taken = self._take((self._all_taken(args[0]), *args[1:]), kwargs)
            result = func(*args, **kwargs)
            return self._each(result, taken, name, again(func, name, writes))
        if linear and name in REWRITTEN and not writes and kwargs.get("out") is None:
            steps = REWRITTEN[name](*args, **kwargs)
            if steps is not None:
                with self:
                    return steps()
        return self._other(func, name, args, kwargs, taken, bool(linear), writes)

    def _is_linear(
        self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], taken: _Taken, linear: list[Step]
    ) -> bool:
        if not linear or taken.choices or "rounding_mode" in kwargs:
            return False
        if name in LINEAR or name in JOINS:
            return len(linear) == len(taken.steps)
        if name in PRODUCTS and len(linear) == 1:
            return name not in QUOTIENTS or self._known.get(args[0]) is linear[0]
        return False

    def _same(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function that gives what it is given, perhaps in another shape; a second tensor is a model for it alone."""
        step, result = self._known.get(args[0]), func(*args, **kwargs)
        if step is None:
            return result
        if name in LIKE:
            run = Arranged(LIKE[name], (Slot(0), result.shape), {})
            step = self._step(step.kind, result.shape, [step], run, value=result if step.kind == "statistic" else None)
        return self._tracked(result, step)

    def _other(
        self,
        func: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        taken: _Taken,
        linear: bool,
        writes: bool,
    ) -> Any:
        """A function that is not linear: what it makes is a writing, or a statistic; in a second pass it is given."""

        def run_it() -> Any:
            made = func(*args, **kwargs)
            return into if name == "setitem" else made

        into = args[0] if writes else kwargs.get("out")
        result = self._results.give(name, run_it, into)
        if into is not None:
            for one in tensors_of(into):
                if has_numbers(one):
                    self._known.put(one, self._write("made", name, one))
            return None if name == "setitem" else result
        parts = [result] if isinstance(result, Tensor) else result
        for index, part in enumerate(parts if isinstance(parts, tuple | list) else ()):
            if not has_numbers(part):
                continue
            pick = None if isinstance(result, Tensor) else index
            run = Call(func, taken.args, taken.kwargs, pick)
            if not linear or (part.ndim and part.shape[-1] == 1) or part.ndim == 0:
                self._known.put(part, self._step("statistic", part.shape, taken.steps, run, value=part))
            else:
                step = self._write("made", name, part)
                step.inputs, step.run = tuple(taken.steps), run
                self._known.put(part, step)
        return result

    def _decided(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function of what the stream decided, such as a mask of experts: numbers that it makes are a writing."""
        into = args[0] if name.endswith("_") or name == "setitem" else kwargs.get("out")
        for one in tensors_of(into):
            self._known.before_writing(one)
        result = func(*args, **kwargs)
        for one in tensors_of(result if into is None else into):
            if has_numbers(one):
                self._known.put(one, self._write("made", name, one))
            else:
                self._known.choose(one)
        return result

    def _begun(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function of nothing of the stream: an embedding, or a linear map of data, begins one."""
        weight = args[1] if len(args) > 1 else kwargs.get("weight")
        if name == "embedding" and isinstance(args[0], Tensor):
            result = self._results.give(name, lambda: func(*args, **kwargs))
            told = any(torch.equal(args[0].flatten(), ids.flatten()) for ids in self._texts)
            if told and isinstance(weight, Tensor):
                self._tables.add(memory_of(weight))
            told = told or (isinstance(weight, Tensor) and memory_of(weight) in self._tables)
            return self._tracked(result, self._write("token" if told else "table", name, result))
        if name == "addmm":
            weight = args[2] if len(args) > 2 else None
        if name in DATA and isinstance(weight, nn.Parameter):
            result = self._results.give(name, lambda: func(*args, **kwargs))
            return self._tracked(result, self._write("token", name, result))
        for one in tensors_of(args[0] if name.endswith("_") and args else kwargs.get("out")):
            self._known.before_writing(one)
        return func(*args, **kwargs)

    # kinds of functions

    def _sum(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], writes: bool) -> Any:
        alpha = float(kwargs.get("alpha", 1))
        signs = (alpha * SUMS[name], 1.0) if name == "rsub" else (1.0, alpha * SUMS[name])
        steps = [self._known.get(arg) if isinstance(arg, Tensor) else None for arg in args]
        if any(step is not None and step.kind == "statistic" for step in steps):
            taken = self._take(args, kwargs)
            return self._other(func, name, args, kwargs, taken, True, writes)
        terms = [
            self._collapsed(steps, at, args) if step else self._constant(args[at]) for at, step in enumerate(steps)
        ]
        if writes:
            self._known.before_writing(args[0])  # of the terms too
        result = func(*args, **kwargs)
        return self._tracked(result, self._add(result.shape, terms, signs))

    def _add(self, shape: torch.Size, terms: Sequence[Step], signs: Sequence[float] = (1.0, 1.0)) -> Step:
        return self._step("linear", shape, terms, Sum(signs))

    def _collapsed(self, steps: Sequence[Step | None], at: int, args: Sequence[Any]) -> Step:
        """Return a term of a sum; what a feed-forward part wrote becomes one writing where it joins the stream."""
        term, other = steps[at], steps[1 - at]
        assert term is not None  # the caller saw to it
        found = reached(term)
        made = [step for step in found if step.writing is not None and step.writing.origin != "bias"]
        if not made or any(step.writing is not None and step.writing.origin != "made" for step in made):
            return term
        if made == [term] or (other is not None and set(reached(other)) & set(found)):
            return term
        last = made[-1].writing
        assert last is not None  # they are writings
        biases = {step: widened(step.value) for step in found if step not in made and step.value is not None}
        rest = evaluate(term, biases)
        value = args[at].detach() if rest is None else args[at].detach() - rest.to(args[at])
        whole = self._write("made", last.function, value, after=last.after, modules=last.modules)
        whole.inputs = (term,)
        whole.run = lambda given: given[0] if rest is None else given[0] - rest
        if rest is None:
            return whole
        return self._add(term.shape, [whole, self._write("bias", "bias", rest.expand(term.shape))])

    def _linear(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x, weight = args[0], fixed(args[1] if len(args) > 1 else kwargs["weight"])
        bias = args[2] if len(args) > 2 else kwargs.get("bias")
        result = func(*args, **kwargs)
        step = self._step("linear", result.shape, [self._got(x)], Matrix(weight))
        return self._tracked(result, self._with_bias(step, bias))

    def _addmm(self, func: Any, args: tuple[Any, ...]) -> Any:
        bias, x, weight = args[0], args[1], fixed(args[2])
        result = func(*args)
        step = self._step("linear", result.shape, [self._got(x)], Matrix(weight.T))
        return self._tracked(result, self._with_bias(step, bias))

    def _with_bias(self, step: Step, bias: Tensor | None) -> Step:
        return step if bias is None else self._add(step.shape, [step, self._write("bias", "bias", fixed(bias))])

    def _norm(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        norm = NORMS[name](*args, **kwargs)
        x = widened(args[0].detach())
        centred = x if norm.centre is None else norm.centre([x])
        scale = self._results.give(name, lambda: norm.scale(centred))
        step = self._got(args[0])
        step = step if norm.centre is None else self._step("linear", x.shape, [step], norm.centre)
        held = self._step("statistic", scale.shape, [step], lambda given: norm.scale(given[0]), value=scale)
        step = self._step("linear", x.shape, [step, held], Times())
        if norm.weight is not None:
            step = self._step("linear", x.shape, [step], Times(fixed(norm.weight)))
        step = self._with_bias(step, norm.bias)
        if self._results.again is None:
            return self._tracked(func(*args, **kwargs), step)
        result = centred * scale
        result = result if norm.weight is None else result * widened(norm.weight)
        result = result if norm.bias is None else result + widened(norm.bias)
        return self._tracked(result.to(args[0].dtype).contiguous(), step)

    def _times(self, func: Any, name: str, args: tuple[Any, ...], linear: Step) -> Any:
        """A product with a constant or a statistic."""
        other = args[1] if self._known.get(args[0]) is linear else args[0]
        held = self._known.get(other)
        factor = None if held is not None else fixed(other) if isinstance(other, Tensor) else other
        factor = factor.clone() if factor is not None and other is args[0] else factor  # which may be written to
        run = Times(factor, inverse=name in QUOTIENTS)
        result = func(*args)
        return self._tracked(result, self._step("linear", result.shape, [linear, *([held] if held else [])], run))

    def _is_constant_matrix(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.ndim == 2 and self._known.get(value) is None

    def _setitem(self, func: Any, args: tuple[Any, ...]) -> Any:
        into, index, value = args
        before = self._known.get(into)
        before = self._constant(into.clone()) if before is None else before
        told = self._known.get(value) if isinstance(value, Tensor) else None
        put = self._constant(value) if told is None else told
        if "statistic" in (before.kind, put.kind) or self._decides(index):
            return self._other(func, "setitem", args, {}, self._take(args, {}), True, True)

        func(*args)
        self._known.put(
            into, self._step("linear", into.shape, [before, put], Arranged(_changed, (Slot(0), index, Slot(1)), {}))
        )
        return None

    def _fills(self, view: Tensor, value: Any) -> bool:
        """Whether a part of the stream is copied into a view of a tensor in one piece."""
        base, step = view._base, self._known.get(value)
        whole = base is not None and base.is_contiguous() and base.storage_offset() == 0 and base.layout == view.layout
        known = None if base is None else self._known.get(base)
        return whole and step is not None and "statistic" not in (step.kind, getattr(known, "kind", None))

    def _copied(self, func: Any, args: tuple[Any, ...]) -> Any:
        """Copy into a view: its base is what it was but for that place."""
        view, value = args
        base, put = view._base, self._known.get(value)
        assert put is not None  # see `_fills`
        before = self._known.get(base) or self._constant(base.clone())
        place = view.shape, view.stride(), view.storage_offset()
        result = func(*args)
        whole = self._step("linear", base.shape, [before, put], Arranged(_filled, (Slot(0), place, Slot(1)), {}))
        self._known.put(base, whole)
        self._known.put(view, self._step("linear", view.shape, [whole], Arranged(_seen, (Slot(0), place), {})))
        return result

    def _all_taken(self, tensors: Sequence[Any]) -> list[Any]:
        """Return tensors of which those that are no part of the stream are writings now."""
        return [_Taken([self._got(one, "constant")], None, None) for one in tensors]

    # steps and tensors

    def _take(self, args: Any, kwargs: Any) -> _Taken:
        steps: list[Step] = []
        choices: list[Tensor] = []

        def replaced(value: Any) -> Any:
            if isinstance(value, _Taken):
                steps.append(value.steps[0])
                return Slot(len(steps) - 1)
            if isinstance(value, Tensor):
                step = self._known.get(value)
                if step is None:
                    choices.extend([value] if self._known.is_choice(value) else ())
                    return fixed(value) if value.is_floating_point() else value
                steps.append(step)
                return Slot(len(steps) - 1)
            if type(value) in (tuple, list):
                return type(value)(map(replaced, value))
            return {key: replaced(one) for key, one in value.items()} if type(value) is dict else value

        args, kwargs = replaced(tuple(args)), replaced(dict(kwargs))
        return _Taken(steps, args, kwargs, bool(choices))

    def _each(self, result: Any, taken: _Taken, name: str, func: Any) -> Any:
        parts, made = [result] if isinstance(result, Tensor) else result, Arranged if name in ARRANGES else Call
        for index, part in enumerate(parts):
            run = made(func, taken.args, taken.kwargs, None if isinstance(result, Tensor) else index)
            self._known.put(part, self._step("linear", part.shape, taken.steps, run))
        return result

    def _step(
        self, kind: Any, shape: torch.Size, inputs: Sequence[Step], run: Any = None, value: Tensor | None = None
    ) -> Step:
        self._steps += 1
        kept = None if value is None else fixed(value.detach())
        step = Step(self._steps, kind, shape, tuple(inputs), run, kept)
        step.module = self.modules[-1] if self.modules else None
        step.sums = isinstance(run, Sum)
        if kind == "statistic":
            self.held.append(step)
        if kept is not None:
            self._known.keep(step)
        return step

    def _write(
        self,
        origin: Origin,
        function: str,
        value: Tensor,
        after: int | None = None,
        head_axis: int = 0,
        modules: tuple[nn.Module, ...] | None = None,
    ) -> Step:
        step = self._step("writing", value.shape, (), value=value)
        running = tuple(self.modules) if modules is None else modules
        step.writing = Writing(origin, function, len(self.attended) if after is None else after, running, head_axis)
        self.writings.append(step)
        return step

    def _constant(self, value: Any) -> Step:
        """Return a tensor that is added to the stream as a writing."""
        tensor = value.detach() if isinstance(value, Tensor) else torch.tensor(float(value))
        return self._write("made" if self._known.is_choice(value) else "constant", "constant", tensor)

    def _got(self, tensor: Tensor, otherwise: Origin | None = None) -> Step:
        step = self._known.get(tensor)
        if step is None:
            assert otherwise is not None  # the caller has seen that it is of the stream
            return self._write(otherwise, "cat", tensor.detach())
        return step

    def _decides(self, index: Any) -> bool:
        """Whether the stream has a part in an index."""
        parts = index if isinstance(index, tuple) else (index,)
        return any(self._known.is_choice(part) or self._known.get(part) is not None for part in parts)

    def _tracked(self, result: Any, step: Step) -> Any:
        if has_numbers(result):
            self._known.put(result, step)
        return result


def _changed(before: Tensor, index: Any, put: Tensor) -> Tensor:
    changed = before.clone()
    changed[index] = put
    return changed


Place = tuple[torch.Size, tuple[int, ...], int]


def _seen(whole: Tensor, place: Place) -> Tensor:
    return whole.contiguous().as_strided(*place)


def _filled(before: Tensor, place: Place, put: Tensor) -> Tensor:
    changed = before.clone(memory_format=torch.contiguous_format)
    changed.as_strided(*place).copy_(put)
    return changed


def _adds(kwargs: Mapping[str, Any]) -> bool:
    return kwargs.get("out") is None and isinstance(kwargs.get("alpha", 1), int | float)
