"""Errors of folders that should hold a model, and of models that fail."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError

__all__ = [
    "AdapterFolder", "AttentionDiffers", "AttentionHidden", "AttentionUnseen", "BaseChanged", "BaseMissing",
    "BaseUnfit", "CannotSample", "CannotShow",
    "DownloadsOff", "HubNotFound", "ModelChanged", "ModelCorrupt", "ModelFailed", "ModelLoadError", "ModelMismatch",
    "ModelNotFound", "NoDevice", "NoHeadOutputs", "NoProcessor", "NoTokenizer", "NotAModel", "OwnFault",
    "PackageMissing", "ProcessLost", "QuantisedWeights", "RemoteCode", "TemplateFailed", "TokenizerFailed",
    "TokenizerMismatch", "TokensDoNotFit", "UnknownArchitecture", "UnsafeWeights", "WeightsNotFinite",
]  # fmt: skip


class ModelLoadError(AttnvizError):
    """A folder does not hold a model that attnviz can open."""

    name: str


class ModelNotFound(ModelLoadError):
    missing: str


class ModelCorrupt(ModelLoadError):
    file: str
    reason: str


class ModelMismatch(ModelLoadError):
    reason: str


class UnknownArchitecture(ModelLoadError):
    architecture: str


class RemoteCode(ModelLoadError):
    """A model needs Python code that comes with its files (trust_remote_code); attnviz never runs such code."""


class UnsafeWeights(ModelLoadError):
    file: str


class NoTokenizer(ModelLoadError):
    """A folder, or a call, comes without a tokenizer."""


class NoProcessor(NoTokenizer):
    """A model reads images, or texts with images in them, and nothing prepares them."""


class TokenizerMismatch(ModelLoadError):
    tokens: int
    vocabulary: int


class PackageMissing(ModelLoadError):
    package: str


class QuantisedWeights(ModelLoadError):
    form: str
    reason: str


class BaseUnfit(ModelLoadError):
    """A pretrained model cannot be trained on here."""

    reason: str


class BaseChanged(ModelLoadError):
    """The weights that a run began with are not those of the model that has its name now."""


class BaseMissing(ModelLoadError):
    """The model that a run began with is not there any more."""


class AdapterFolder(ModelLoadError):
    """A folder holds an adapter, which the package peft opens together with its base model."""

    base: str
    reason: str


class NoDevice(ModelLoadError, ValueError):
    available: str


class NotAModel(AttnvizError, TypeError):
    kind: str


class DownloadsOff(ModelLoadError):
    variable: str


class HubNotFound(ModelLoadError):
    reason: str


class CannotShow(ModelLoadError):
    """A model runs, but its attention cannot be shown truly."""


class AttentionHidden(CannotShow):
    layer: str
    kind: str


class AttentionUnseen(CannotShow):
    kind: str


class CannotSample(CannotShow):
    reason: str


class AttentionDiffers(CannotShow):
    """Weights computed from the queries, keys and masks of a layer are not those that the layer used."""

    layer: str
    reason: str


class WeightsNotFinite(CannotShow):
    weights: str


class TokensDoNotFit(CannotShow):
    site: str
    read: int
    sequence: str
    tokens: int


class NoHeadOutputs(AttnvizError, ValueError):
    site: str
    reason: str


class ModelChanged(AttnvizError):
    name: str
    what: str


class ModelFailed(AttnvizError):
    name: str
    reason: str


class TokenizerFailed(AttnvizError):
    name: str
    reason: str


class TemplateFailed(AttnvizError):
    """A chat template refuses a text, is broken, or takes more than it may."""

    name: str
    reason: str


class OwnFault(AttnvizError):
    """Code of attnviz failed, and neither the model nor its input is to blame."""

    name: str
    reason: str


class ProcessLost(AttnvizError):
    """The processes that share some work end before any of it is done."""

    name: str
