"""Opening a Hugging Face model: from a folder, from the local cache, or from the Hub.

Only safetensors are read, and no code that comes with a model is ever run.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoModel,
    AutoProcessor,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING
from transformers.utils import logging

from attnviz.bounded import read_json, reason
from attnviz.errors import (
    AttnvizError,
    HubNotFound,
    ModelCorrupt,
    ModelMismatch,
    ModelNotFound,
    NoDevice,
    NoProcessor,
    NoTokenizer,
    QuantisedWeights,
    RemoteCode,
    TokenizerMismatch,
    UnknownArchitecture,
)
from attnviz.errors.base import Why
from attnviz.guard import guarded, is_out_of_memory, package_of, reason_of
from attnviz.huggingface.adapter import base_weights, check_adapter, put_on_adapter
from attnviz.huggingface.model import HuggingFaceModel, wrap
from attnviz.huggingface.sample import text_part
from attnviz.huggingface.sizes import check_sizes
from attnviz.models.bundle import WEIGHTS_FILE
from attnviz.models.weight_files import shapes_in, weight_files

__all__ = ["download", "open_folder", "open_tokenizer"]

CONFIG = "config.json"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "spiece.model", "tokenizer.model")
DEQUANTISED = ("mxfp4", "fp8", "mxfp8", "compressed-tensors", "metal")
"""Formats of quantised weights that transformers itself can turn back into plain numbers."""
PLAIN = ("F64", "F32", "F16", "BF16")
"""Kinds of numbers, as safetensors calls them, that are not codes of others."""
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
PATTERNS = ["*.json", "*.txt", "*.model", "*.safetensors"]  # what is downloaded of a model


def open_folder(
    folder: Path, name: str | None = None, dtype: torch.dtype | None = None, device: str | torch.device = "cpu"
) -> HuggingFaceModel:
    """Open a folder that `save_pretrained` wrote.

    Args:
        folder: folder with config.json, safetensors, and a tokenizer or a processor.
        name: name for messages and links; by default that of the folder.
        dtype: number format of the weights; None: as they are stored, float32 in place of float16 on a processor.
        device: where it runs.

    Raises:
        ModelNotFound, UnsafeWeights: a file is missing, or would have to be unpickled.
        UnknownArchitecture, RemoteCode: transformers has no code for it.
        ModelCorrupt, ModelMismatch: the weights are damaged, or not those of the configuration.
        NoTokenizer, TokenizerMismatch: it cannot be fed.
        AdapterFolder: it holds an adapter, and its base model or the package peft is not here.
        PackageMissing, NoDevice: something that it needs is not here.
        OutOfMemory: it does not fit.
    """
    name = name or folder.name
    with guarded(name):
        place = device_of(device)
        adapted = check_adapter(folder, name)
        values = read_config(folder, name)
        _check_weights(folder, name)
        config = _config(folder, name, values)
        network = _network(folder, name, config, dtype, adapted).to(place)
        whole = _whole_processor(folder, name, network)
        model = wrap(network, whole or open_tokenizer(folder, name), whole or _processor(folder, name), name)
        _check_feeding(model)
        return model


def download(name: str, **options: Any) -> HuggingFaceModel:
    """Open a model of the Hub by its id, such as "gpt2".

    What the local cache has whole is taken from there, without asking anybody; the rest is downloaded.

    Raises:
        HubNotFound: there is no such model, or the Hub cannot be reached.
        AttnvizError: see `open_folder`.
    """
    folder = _cached(name)
    if folder is not None:
        with suppress(ModelNotFound):  # a part of it is missing there
            return open_folder(folder, f"hf:{name}", **options)
    return open_folder(_downloaded(name), f"hf:{name}", **options)


def _cached(name: str) -> Path | None:
    """Return the folder of a model in the local cache, whole or not; None: it is not there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=PATTERNS, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError, OSError):
        return None


def _downloaded(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=PATTERNS))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, RuntimeError) as error:
        raise HubNotFound(f"hf:{name}", reason_of(error)) from error


def device_of(device: str | torch.device) -> torch.device:
    """Return a device that this machine has.

    Raises:
        NoDevice: it has none of that name.
    """
    try:
        place = torch.device(device)
        torch.empty(1, device=place).item()  # which fails where there is none
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
        raise NoDevice(str(device), _devices()) from error
    return place


def _devices() -> str:
    kind = torch.accelerator.current_accelerator()
    found = ["cpu", *(f"{kind.type}:{n}" for n in range(torch.accelerator.device_count()))] if kind else ["cpu"]
    return ", ".join(found)


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Return the content of config.json.

    Raises:
        ModelNotFound: there is none.
        ModelCorrupt: it is not a JSON object.
    """
    if not (folder / CONFIG).is_file():
        raise ModelNotFound(name, CONFIG if folder.is_dir() else "the folder")
    try:
        return read_json(folder / CONFIG)
    except (OSError, ValueError) as error:
        raise ModelCorrupt(name, CONFIG, reason(error)) from error


def _check_weights(folder: Path, name: str) -> None:
    """Refuse weights that are not whole safetensors files in this folder."""
    weight_files(folder, name)
    for path in sorted(folder.glob("*.safetensors")):
        shapes_in(path, name)


def _config(folder: Path, name: str, values: dict[str, Any]) -> Any:
    kind = values.get("model_type")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        if "auto_map" in values:
            raise RemoteCode(name)
        raise UnknownArchitecture(name, str(kind or _class_named(values.get("architectures")) or "?"))
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # any value of the file may be one that the class of its kind cannot take
        raise ModelCorrupt(name, CONFIG, reason_of(error)) from error
    _attend_here(config)
    _dequantise(name, config)
    return config


def _class_named(architectures: Any) -> str:
    """Return the first class of model that a config.json names; "" where it names none."""
    return str(architectures[0]) if isinstance(architectures, list) and architectures else ""


def _attend_here(config: Any) -> None:
    """Forget a stored way to compute attention that needs more than torch; the weights are the same for all."""
    if config._attn_implementation not in (None, "eager", "sdpa"):
        config._attn_implementation = None
    for part in config.sub_configs:
        if isinstance(getattr(config, part, None), PreTrainedConfig):
            _attend_here(getattr(config, part))


def _quantised(config: Any) -> dict[str, Any]:
    """Return how the weights are quantised, by config.json; {} if they are not."""
    parts = (config, config.get_text_config())
    found = [values for part in parts if (values := getattr(part, "quantization_config", None))]
    return (found[0] if isinstance(found[0], dict) else found[0].to_dict()) if found else {}


def _dequantise(name: str, config: Any) -> None:
    """Ask for plain numbers where transformers can make them of quantised weights; kernels for the others are rare."""
    values = _quantised(config)
    form = values.get("quant_method")
    if form in DEQUANTISED:
        values["dequantize"] = True
    elif values and form not in AUTO_QUANTIZER_MAPPING and form != "bitsandbytes":
        raise QuantisedWeights(name, str(form), Why("unknown-form"))


def _network(folder: Path, name: str, config: Any, dtype: torch.dtype | None, adapted: bool) -> PreTrainedModel:
    named = getattr(transformers, _class_named(config.architectures) or "AutoModel", None)
    kind: Any = named if isinstance(named, type) and issubclass(named, PreTrainedModel) else AutoModel
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # what is missing is told below, as an error
    logging.disable_progress_bar()
    try:
        check_sizes(folder, name, kind, config, packed=bool(_quantised(config)))
        network, report = kind.from_pretrained(
            None if adapted else folder,  # a folder with an adapter would not tell what its base lacks
            state_dict=base_weights(folder, name) if adapted else None,
            config=config,
            dtype=dtype or _stored(config),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # they are told below
            output_loading_info=True,
        )
        missing = {*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}
        if adapted and not missing:
            missing = put_on_adapter(network, folder)
    except AttnvizError:
        raise
    except (OSError, SafetensorError) as error:
        raise ModelCorrupt(name, WEIGHTS_FILE, reason_of(error)) from error
    except Exception as error:  # the values of a config can break the building of a model in any way
        if is_out_of_memory(error) or (isinstance(error, ImportError) and package_of(error)):
            raise  # told by the guard
        if form := _quantised(config).get("quant_method"):
            raise QuantisedWeights(name, str(form), reason_of(error)) from error
        raise ModelMismatch(name, reason_of(error)) from error
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()
    if not _quantised(config):
        _check_plain(folder, name)
    if missing:  # they would be random numbers
        reason = Why("missing-tensors", tensor=min(missing), count=len(missing))
        if form := _quantised(config).get("quant_method"):
            raise QuantisedWeights(name, str(form), reason)
        raise ModelMismatch(name, reason)
    return network.eval().requires_grad_(False)


def _check_plain(folder: Path, name: str) -> None:
    """See that weights are stored as the numbers that they are, where config.json says nothing else."""
    for path in weight_files(folder, name):
        for tensor, (kind, _) in shapes_in(path, name).items():
            if tensor.endswith("weight") and not kind.startswith(PLAIN):
                raise QuantisedWeights(name, kind, Why("unsaid-form", tensor=tensor))


def _stored(config: Any) -> torch.dtype:
    """Return the kind of numbers that the weights are stored in; processors have no fast arithmetic for float16."""
    stored = config.dtype
    return stored if isinstance(stored, torch.dtype) and stored != torch.float16 else torch.float32


def open_tokenizer(folder: Path, name: str) -> PreTrainedTokenizerBase | None:
    """Return the tokenizer of a model's folder; None where there is none.

    Raises:
        ModelCorrupt: its files are damaged.
    """
    if not any((folder / file).is_file() for file in TOKENIZER):
        return None
    return _made_of(AutoTokenizer, folder, name, "tokenizer")


def _made_of(kind: Any, folder: Path, name: str, file: str, **options: Any) -> Any:
    """Have a class of transformers load its files of a model's folder.

    Raises:
        ModelCorrupt: they are damaged.
    """
    try:
        return kind.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **options)
    except ImportError:
        raise  # told by the guard
    except Exception as error:  # a damaged file fails in as many ways as there are tokenizers
        raise ModelCorrupt(name, file, reason_of(error)) from error


def _whole_processor(folder: Path, name: str, network: PreTrainedModel) -> Any:
    """Open the processor of a model that reads images inside its text; None for other models and without one."""
    takes = inspect.signature(network.forward).parameters
    if not {"input_ids", "pixel_values"} <= takes.keys() or not network.can_generate():
        return None
    if not any((folder / file).is_file() for file in PROCESSORS):
        return None
    return _made_of(AutoProcessor, folder, name, PROCESSORS[0], backend="pil")


def _processor(folder: Path, name: str) -> Any:
    """Load the processor of images or sounds; None if there is none."""
    files = [folder / file for file in PROCESSORS if (folder / file).is_file()]
    if not files:
        return None
    if any("feature_extractor" in file.read_text("utf-8") for file in files):
        return _made_of(AutoFeatureExtractor, folder, name, PROCESSORS[0])
    return _made_of(AutoImageProcessor, folder, name, PROCESSORS[0], backend="pil")


def _check_feeding(model: HuggingFaceModel) -> None:
    """Refuse a model without a tokenizer or processor, or with tokens that have no embedding."""
    writes_text = model.reads_text or (model.has_decoder and model.writes and not model.hears_sound)
    if writes_text and model.tokenizer is None:
        raise NoTokenizer(model.name)
    if model.sees_images and model.processor is None:
        raise NoProcessor(model.name)
    vocabulary = getattr(text_part(model.config), "vocab_size", None)
    tokens = 0 if model.tokenizer is None else len(model.tokenizer)
    if writes_text and isinstance(vocabulary, int) and tokens > vocabulary:
        raise TokenizerMismatch(model.name, tokens, vocabulary)
