"""One way to trace any model: ours, a Hugging Face model, or a transformers object with its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from attnviz.errors import ImageNotAllowed, NotAModel, TargetNotAllowed
from attnviz.guard import guarded
from attnviz.models import SequenceModel
from attnviz.models import generate as generate_own
from attnviz.texts import check_text
from attnviz.trace import Edit, Trace
from attnviz.trace import trace as trace_own
from attnviz.writing import Plan, Written
from attnviz.writing.own import write as write_own

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = ["generate", "trace", "trace_generated", "trace_inputs", "write"]

MOST_NEW = 40  # tokens of a Hugging Face model, where nobody says how many


def trace(
    model: SequenceModel | HuggingFaceModel | nn.Module,
    text: str,
    target: str | None = None,
    *,
    tokenizer: Any = None,
    image: Any = None,
    edits: Sequence[Edit] = (),
) -> Trace:
    """Run a model on a text and keep what is needed to show every number of its attention.

    Args:
        model: model from `load_model`, or a model object of the transformers library.
        text: what the model reads; the source of an encoder-decoder; the path of an image for a model that reads
            nothing else.
        target: of an encoder-decoder: what its decoder reads. None or blank: the model writes it itself, greedily,
            and `Trace.target_generated` says so. Of a Hugging Face encoder: a second sentence.
        tokenizer: tokenizer or processor of a transformers object.
        image: image for a model that sees: a path, a PIL image, or an array (height, width, 3) of bytes.
        edits: changes of the forward pass, from `attnviz.edits`. What the model writes itself is written without.

    Returns:
        A Trace whose sites refer to the q, k and v of this forward pass.

    Raises:
        EmptyText, UnknownSymbols, TextTooLong: the text cannot be read whole.
        TargetNotAllowed: a target for a model that reads one text.
        ImageNeeded, ImageNotAllowed, ImageUnreadable, InputNeeded: it reads something else, or something more.
        NoTokenizer: a transformers object that reads text, without a tokenizer.
        CannotShow: the attention of a Hugging Face model cannot be shown truly; the message names the layer.
        NotText, NotUnicode, NotAModel: something else was given than a text, or than a model.
        OutOfMemory, ModelFailed, TokenizerFailed: the model's own code, or its tokenizer's, fails.
        EditError: the model has not what an edit changes; the message says why, or what there is.

    Example:
        >>> import attnviz
        >>> model = attnviz.load_model("zoo/reverse")
        >>> attnviz.trace(model, "g f e d c").sites[0].weights(0).shape
        torch.Size([6, 6])
    """
    if isinstance(model, SequenceModel):
        if image is not None:
            raise ImageNotAllowed(model.card.name)
        check_text(text)
        check_text(target or "")
        with guarded(model.card.name):
            return trace_own(model, text, target, edits)
    from attnviz.huggingface import trace_text

    return trace_text(_wrapped(model, tokenizer), text, target, image, edits)


def trace_inputs(
    model: HuggingFaceModel | nn.Module, inputs: Mapping[str, Tensor], row: int = 0, *, edits: Sequence[Edit] = ()
) -> Trace:
    """Run a Hugging Face model on inputs that are made already, and keep one row of the batch, padding included.

    Args:
        model: model from `load_model`, or a model object of the transformers library.
        inputs: what its `forward` takes, by name: token ids, attention masks, pixels, sounds.
        edits: changes of the forward pass of that row, from `attnviz.edits`.

    Raises:
        CannotShow, OutOfMemory, ModelFailed: as `trace`.
        InputsDoNotFit, TokensOutside: these are no inputs of this model.
        NoRow: there is no such row.
    """
    from attnviz import huggingface

    return huggingface.trace_inputs(_wrapped(model), inputs, row, edits)


def trace_generated(
    model: HuggingFaceModel | nn.Module, text: str, max_new: int = 20, *, tokenizer: Any = None
) -> Trace:
    """Have a Hugging Face model write, and keep what its attention computed on the way, token by token with its cache.

    Args:
        model: a decoder or an encoder-decoder, from `load_model` or a model object of the transformers library.
        text: text that it reads first.
        max_new: tokens to write at most, the most probable one each time.
        tokenizer: tokenizer of a transformers object.

    Raises:
        AttnvizError: see `trace`.
        DoesNotWrite: the model is no language model.
    """
    from attnviz import huggingface

    return huggingface.trace_generated(_wrapped(model, tokenizer), text, max_new)


def generate(
    model: SequenceModel | HuggingFaceModel | nn.Module,
    text: str,
    target: str = "",
    *,
    max_new: int | None = None,
    tokenizer: Any = None,
) -> str:
    """The text with the most probable symbol appended again and again, until its end, `max_new` or the model's limit.

    Args:
        model: a decoder or an encoder-decoder, from `load_model` or a model object of the transformers library.
        text: what a decoder continues; the source of an encoder-decoder.
        target: the beginning of the target, of an encoder-decoder of attnviz.
        max_new: symbols to append at most; None: as many as fit, 40 for models of transformers.
        tokenizer: tokenizer of a transformers object.

    Returns:
        The whole continued text (of an encoder-decoder: the whole target).

    Raises:
        DoesNotWrite: the model predicts no next symbol.
        NotAModel: it is no model.
        AttnvizError: see `trace`.

    Example:
        >>> import attnviz
        >>> attnviz.generate(attnviz.load_model("zoo/sort"), "d a c b >")
        'd a c b > a b c d'
    """
    if isinstance(model, SequenceModel):
        return generate_own(model, text, target, max_new=max_new)
    from attnviz import huggingface

    network = _wrapped(model, tokenizer)
    if target:
        raise TargetNotAllowed(network.facts.kind)
    return huggingface.continue_text(network, text, MOST_NEW if max_new is None else max_new)


def write(
    model: SequenceModel | HuggingFaceModel | nn.Module,
    text: str,
    target: str = "",
    *,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    beams: int | None = None,
    seed: int = 0,
    max_new: int = 20,
    taken: Sequence[int] = (),
    template: bool = True,
    plan: Plan | None = None,
    tokenizer: Any = None,
    image: Any = None,
    edits: Sequence[Edit] = (),
) -> Written:
    """Have a model write step by step, and keep what could have come instead and all that its attention computed.

    Without settings it takes the most probable token each time. A temperature or a filter makes it draw: the scores
    are divided by the temperature, then the filters leave out improbable tokens. `Written.take` goes back to a step.

    The rules of the model's own generation configuration hold (penalties, forbidden and forced tokens, lengths). Its
    temperature and filters do not, nor do guidance, stop strings and other ways of searching; watermarks act before
    the temperature here.

    Args:
        model: a decoder or an encoder-decoder, from `load_model` or a model object of the transformers library.
        text: what a decoder continues; the source of an encoder-decoder.
        target: the beginning of the target, of an encoder-decoder.
        temperature: below 1 the likely tokens become likelier, above 1 all become more alike.
        top_k: draw among so many most probable tokens.
        top_p: draw among the most probable tokens that together have this probability.
        beams: search for the most probable continuation with so many of them side by side, and draw nothing.
        seed: of the draws; the same one gives the same text.
        max_new: tokens that are written at most.
        taken: ids of tokens that the continuation begins with.
        template: put the text into the model's chat template, where it has one.
        plan: all of these settings in one, in place of them.
        tokenizer: tokenizer of a transformers object.
        image: image for a model that sees.
        edits: changes from `attnviz.edits` that stay in force while it writes.

    Raises:
        PlanMisfit: a setting is outside of its bounds; the message says what to give.
        DoesNotWrite, WritesNumbers: the model writes no tokens.
        AttnvizError: see `trace`.

    Example:
        >>> import attnviz
        >>> written = attnviz.write(attnviz.load_model("zoo/sort"), "d a c b >", max_new=2)
        >>> written.continuation, [written.label(step.token) for step in written.steps]
        ('a b', ['a', 'b'])
    """
    if plan is None:
        draws = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        rest = {"seed": seed, "max_new": max_new, "taken": tuple(taken), "template": template}
        plan = Plan.of(**draws, beams=beams, **rest)  # type: ignore[arg-type]
    if isinstance(model, SequenceModel):
        if image is not None:
            raise ImageNotAllowed(model.card.name)
        return write_own(model, text, target, plan, edits)
    from attnviz import huggingface

    return huggingface.write(_wrapped(model, tokenizer), text, plan, edits, image, target=target)


def _wrapped(model: HuggingFaceModel | nn.Module, tokenizer: Any = None) -> HuggingFaceModel:
    from transformers import PreTrainedModel

    from attnviz.huggingface import HuggingFaceModel, wrap
    from attnviz.huggingface.model import innermost

    if isinstance(model, HuggingFaceModel):
        return model
    network = innermost(model)
    if not isinstance(network, PreTrainedModel):
        raise NotAModel(type(model).__name__)
    return wrap(network, tokenizer)
