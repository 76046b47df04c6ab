"""Errors of folders that should hold a model, and of models that fail."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError

__all__ = [
    "AdapterFolder",
    "AttentionDiffers",
    "AttentionHidden",
    "AttentionUnseen",
    "CannotSample",
    "CannotShow",
    "DownloadsOff",
    "HubNotFound",
    "ModelChanged",
    "ModelCorrupt",
    "ModelFailed",
    "ModelLoadError",
    "ModelMismatch",
    "ModelNotFound",
    "NoDevice",
    "NoHeadOutputs",
    "NoProcessor",
    "NoTokenizer",
    "NotAModel",
    "OwnFault",
    "PackageMissing",
    "QuantisedWeights",
    "RemoteCode",
    "TokenizerFailed",
    "TokenizerMismatch",
    "TokensDoNotFit",
    "UnknownArchitecture",
    "UnsafeWeights",
    "WeightsNotFinite",
]


class ModelLoadError(AttnvizError):
    """A folder that does not hold a model attnviz can open."""

    code = "model_load"


class ModelNotFound(ModelLoadError):
    """There is no such folder, or it lacks one of the two files of a model."""

    code = "model_not_found"

    def __init__(self, name: str, missing: str) -> None:
        super().__init__(
            f"{name}: {missing} not found. A model is a folder with config.json and model.safetensors.",
            name=name,
            missing=missing,
        )


class ModelCorrupt(ModelLoadError):
    """One of the files of a model cannot be read."""

    code = "model_corrupt"

    def __init__(self, name: str, file: str, reason: str) -> None:
        super().__init__(f"{name}: {file} cannot be read: {reason}", name=name, file=file, reason=reason)


class ModelMismatch(ModelLoadError):
    """The weights are not the weights of the configuration beside them."""

    code = "model_mismatch"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name}: model.safetensors does not fit config.json: {reason}. "
            "Use the two files that were saved together.",
            name=name,
            reason=reason,
        )


class UnknownArchitecture(ModelLoadError):
    """The installed transformers library has no model of this architecture."""

    code = "unknown_architecture"

    def __init__(self, name: str, architecture: str) -> None:
        super().__init__(
            f"{name}: the architecture {architecture} is not known to the installed transformers library: "
            "another model, or a newer version of transformers, may work.",
            name=name,
            architecture=architecture,
        )


class RemoteCode(ModelLoadError):
    """The model needs Python code that comes with its files (trust_remote_code); such code is never run."""

    code = "remote_code"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} needs Python code that comes with its files (trust_remote_code), which is never run here: "
            "choose a model that transformers itself knows.",
            name=name,
        )


class UnsafeWeights(ModelLoadError):
    """The weights are in a format that can hide code."""

    code = "unsafe_weights"

    def __init__(self, name: str, file: str) -> None:
        super().__init__(
            f"{name}: its weights are pickled ({file}), a format that can hide code and is never read: "
            "save the model again with safe_serialization, as model.safetensors.",
            name=name,
            file=file,
        )


class NoTokenizer(ModelLoadError):
    """A folder, or a call, without a tokenizer."""

    code = "no_tokenizer"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: there is no tokenizer. Put its files (tokenizer.json, tokenizer_config.json) beside config.json, "
            "or hand one over: trace(model, text, tokenizer=tokenizer).",
            name=name,
        )


class NoProcessor(NoTokenizer):
    """A model that reads images, or texts with images in them, without what prepares them."""

    code = "no_processor"

    def __init__(self, name: str) -> None:
        AttnvizError.__init__(
            self,
            f"{name}: there is no processor that prepares its images. Put its files (preprocessor_config.json, "
            "processor_config.json) beside config.json, or hand it over: trace(model, text, tokenizer=processor).",
            name=name,
        )


class TokenizerMismatch(ModelLoadError):
    """The tokenizer makes ids that the model has no embedding for."""

    code = "tokenizer_mismatch"

    def __init__(self, name: str, tokens: int, vocabulary: int) -> None:
        super().__init__(
            f"{name}: the tokenizer is that of another model: it has {tokens:,} tokens, "
            f"the model knows {vocabulary:,}.",
            name=name,
            tokens=f"{tokens:,}",
            vocabulary=f"{vocabulary:,}",
        )


class PackageMissing(ModelLoadError):
    """The model needs a Python package that is not installed."""

    code = "package_missing"

    def __init__(self, name: str, package: str) -> None:
        super().__init__(
            f"{name} needs the Python package {package}, which is not installed: pip install {package}, "
            "or choose a model that does without.",
            name=name,
            package=package,
        )


class QuantisedWeights(ModelLoadError):
    """The weights are stored in a quantised format that cannot be read here."""

    code = "quantised_weights"

    def __init__(self, name: str, form: str, reason: str) -> None:
        super().__init__(
            f"{name}: its weights are quantised in the format {form}, which cannot be read here ({reason}): "
            "choose the model as it was before.",
            name=name,
            form=form,
            reason=reason,
        )


class AdapterFolder(ModelLoadError):
    """A folder holds an adapter, which is opened with its base model by the package peft."""

    code = "adapter_folder"

    def __init__(self, name: str, base: str, reason: str) -> None:
        super().__init__(
            f"{name} holds an adapter of {base}, which cannot be opened: {reason}. Install peft "
            "(pip install 'attnviz[peft]') and put the base model's files into the folder, or merge the two with "
            "merge_and_unload and save the result.",
            name=name,
            base=base,
            reason=reason,
        )


class NoDevice(ModelLoadError, ValueError):
    """A device that this machine does not have.

    Args:
        device: that was asked for.
        available: devices that there are.
    """

    code = "no_device"

    def __init__(self, device: str, available: str) -> None:
        super().__init__(
            f"there is no device {device!r} here: {available} can be used, as device=.",
            device=device,
            available=available,
        )


class NotAModel(AttnvizError, TypeError):
    """Something that is no model of attnviz and none of transformers."""

    code = "not_a_model"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"a model of attnviz or of transformers is wanted, not {kind}: open one with attnviz.load_model.",
            kind=kind,
        )


class DownloadsOff(ModelLoadError):
    """A model of the Hugging Face Hub was asked for, and downloads are not switched on."""

    code = "downloads_off"

    def __init__(self, name: str, variable: str) -> None:
        super().__init__(
            f"{name} would have to be downloaded, and downloads are off: set {variable}=1, or open a folder.",
            name=name,
            variable=variable,
        )


class HubNotFound(ModelLoadError):
    """The Hugging Face Hub has no such model, or cannot be reached."""

    code = "hub_not_found"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be had from the Hugging Face Hub ({reason}): check the name and the connection.",
            name=name,
            reason=reason,
        )


class CannotShow(ModelLoadError):
    """The model runs, but its attention cannot be shown truly."""

    code = "cannot_show"


class AttentionHidden(CannotShow):
    """A layer computes attention by itself, where nobody can listen."""

    code = "attention_hidden"

    def __init__(self, name: str, layer: str, kind: str) -> None:
        super().__init__(
            f"{name} cannot be shown: its layer {layer} ({kind}) computes attention by itself, not through the "
            "interface of transformers, and nothing is shown that was not seen.",
            name=name,
            layer=layer,
            kind=kind,
        )


class AttentionUnseen(CannotShow):
    """No layer of attention was seen at all."""

    code = "attention_unseen"

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(f"{name} cannot be shown: no attention was seen in it ({kind}).", name=name, kind=kind)


class CannotSample(CannotShow):
    """Nobody knows what to give to the model, to see how it attends."""

    code = "cannot_sample"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be looked at without inputs of its own ({reason}): make them with its processor, and call "
            "attnviz.trace_inputs(model, inputs).",
            name=name,
            reason=reason,
        )


class AttentionDiffers(CannotShow):
    """The weights of a layer cannot be computed again from its queries, keys and masks."""

    code = "attention_differs"

    def __init__(self, name: str, layer: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be shown: the weights of its layer {layer} cannot be computed again ({reason}).",
            name=name,
            layer=layer,
            reason=reason,
        )


class WeightsNotFinite(CannotShow):
    """A model has weights that are not numbers, or are infinite."""

    code = "weights_not_finite"

    def __init__(self, name: str, weights: str) -> None:
        super().__init__(
            f"{name} cannot be shown: its weights {weights} hold numbers that are nan or infinite. "
            "Its training has diverged, or its file is damaged: use an earlier checkpoint.",
            name=name,
            weights=weights,
        )


class TokensDoNotFit(CannotShow):
    """A layer read another number of tokens than there are names for."""

    code = "tokens_do_not_fit"

    def __init__(self, name: str, site: str, read: int, sequence: str, tokens: int) -> None:
        super().__init__(
            f"{name} cannot be shown: {site} read {read} tokens of its {sequence}, and {tokens} are known. "
            "Nothing is shown under a wrong name.",
            name=name,
            site=site,
            read=read,
            sequence=sequence,
            tokens=tokens,
        )


class NoHeadOutputs(AttnvizError, ValueError):
    """The share of each head in a layer's output was asked for, and cannot be told."""

    code = "no_head_outputs"

    def __init__(self, site: str, reason: str) -> None:
        super().__init__(
            f"{site}: the outputs of its heads cannot be told: {reason}. Its weights and contexts can be shown.",
            site=site,
            reason=reason,
        )


class ModelChanged(AttnvizError):
    """A model is not the one that a trace was taken of any more."""

    code = "model_changed"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name} was changed after this trace was taken ({what}): what is computed now would belong to neither of "
            "the two. Trace it again.",
            name=name,
            what=what,
        )


class ModelFailed(AttnvizError):
    """The model's own code fails on what it was given."""

    code = "model_failed"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be run: its own code says {reason!r}. Try another text, or check the model's files.",
            name=name,
            reason=reason,
        )


class TokenizerFailed(AttnvizError):
    """The tokenizer's own code fails."""

    code = "tokenizer_failed"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name}: its tokenizer fails: {reason!r}. Try another text, or check the tokenizer's files.",
            name=name,
            reason=reason,
        )


class OwnFault(AttnvizError):
    """Code of attnviz failed, and neither the model nor its input is to blame."""

    code = "own_fault"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"attnviz itself made a mistake with {name}: {reason!r}. The log has all of it: please report it.",
            name=name,
            reason=reason,
        )
