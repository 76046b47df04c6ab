"""A tiny model of every architecture that attnviz supports, built from its config with random weights."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import torch
import transformers as hf

VOCABULARY = 97
SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {**SMALL, "num_key_value_heads": 2, "head_dim": 12}
TWO_STACKS: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "d_model": 48,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 56,
    "decoder_ffn_dim": 56,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 3,
    "forced_eos_token_id": None,
}
T5 = {
    "vocab_size": VOCABULARY,
    "d_model": 48,
    "d_kv": 12,
    "d_ff": 56,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "eos_token_id": 1,
}
SEES: dict[str, Any] = {
    "hidden_size": 48,
    "intermediate_size": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 24,
    "patch_size": 8,
    "num_channels": 3,
}


@dataclass(frozen=True)
class Architecture:
    """How to build a tiny model of one kind.

    Attributes:
        name: as people write it.
        kind: "encoder", "decoder", "encoder-decoder", "vision", "two encoders", "labels" (an encoder-decoder
            that writes nothing), "captions", "sound", "sound to text" or "text and image" (one sequence of both).
        model: class of the network.
        config: class of its configuration.
        values: of the configuration.
        notes: what is particular about its attention, for the documentation.
        strength: what the random weights are multiplied by: attention is far from uniform then, and mistakes show.
        sharpness: what the projections to q and k are multiplied by besides, where more strength in all layers would
            make large numbers of the roundings of the first one.
    """

    name: str
    kind: str
    model: str
    config: str
    values: dict[str, Any] = field(default_factory=dict)
    notes: str = ""
    strength: float = 8
    sharpness: float = 1

    def build(self, seed: int = 0, **changes: Any) -> Any:
        """The model, in evaluation mode."""
        torch.manual_seed(seed)
        config = getattr(hf, self.config)(**{**self.values, **changes})
        model = getattr(hf, self.model)(config).eval()
        for name, parameter in model.named_parameters():
            if parameter.ndim >= 2 and "norm" not in name.lower():
                parameter.data.mul_(self.strength * (self.sharpness if re.search(r"\b[qk]_proj\b", name) else 1))
            elif "sinks" in name:
                parameter.data.normal_()
        return model


def _clip() -> dict[str, Any]:
    text = {**SMALL, "projection_dim": 16}
    return {"text_config": text, "vision_config": {**SEES, "projection_dim": 16}, "projection_dim": 16}


HEARS: dict[str, Any] = {
    "vocab_size": 32,
    "hidden_size": 48,
    "intermediate_size": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "conv_dim": (24, 24),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 4,
}
WRITES = {**SMALL, "model_type": "bert", "is_decoder": True, "add_cross_attention": True}
STARTS = {"decoder_start_token_id": 1, "pad_token_id": 0, "eos_token_id": 2}
QWEN_SEES = {
    "depth": 2,
    "embed_dim": 48,
    "hidden_size": 48,
    "num_heads": 4,
    "patch_size": 4,
    "in_channels": 3,
    "mlp_ratio": 2,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
}
ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 2, 2]}

ARCHITECTURES = [
    Architecture(
        "GPT-2",
        "decoder",
        "GPT2LMHeadModel",
        "GPT2Config",
        {
            "vocab_size": VOCABULARY,
            "n_embd": 48,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 64,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 0,
        },
    ),
    Architecture("BERT", "encoder", "BertForMaskedLM", "BertConfig", SMALL),
    Architecture("RoBERTa", "encoder", "RobertaForMaskedLM", "RobertaConfig", SMALL),
    Architecture("XLM-R", "encoder", "XLMRobertaForMaskedLM", "XLMRobertaConfig", SMALL),
    Architecture(
        "DistilBERT",
        "encoder",
        "DistilBertForMaskedLM",
        "DistilBertConfig",
        {
            "vocab_size": VOCABULARY,
            "dim": 48,
            "hidden_dim": 56,
            "n_layers": 2,
            "n_heads": 4,
            "max_position_embeddings": 64,
            "pad_token_id": 0,
        },
    ),
    Architecture(
        "ALBERT",
        "encoder",
        "AlbertForMaskedLM",
        "AlbertConfig",
        {**SMALL, "embedding_size": 24},
        "one layer that runs several times",
    ),
    Architecture("ELECTRA", "encoder", "ElectraForMaskedLM", "ElectraConfig", {**SMALL, "embedding_size": 24}),
    Architecture(
        "ModernBERT",
        "encoder",
        "ModernBertForMaskedLM",
        "ModernBertConfig",
        {**SMALL, "cls_token_id": 1, "sep_token_id": 2, "local_attention": 6, "global_attn_every_n_layers": 2},
        "rotary; windows in two of three layers",
    ),
    Architecture("T5", "encoder-decoder", "T5ForConditionalGeneration", "T5Config", T5, "learned position bias", 1),
    Architecture("mT5", "encoder-decoder", "MT5ForConditionalGeneration", "MT5Config", T5, "learned position bias", 1),
    Architecture("BART", "encoder-decoder", "BartForConditionalGeneration", "BartConfig", TWO_STACKS),
    Architecture("Marian", "encoder-decoder", "MarianMTModel", "MarianConfig", TWO_STACKS, strength=1, sharpness=24),
    Architecture("Pegasus", "encoder-decoder", "PegasusForConditionalGeneration", "PegasusConfig", TWO_STACKS),
    Architecture(
        "Whisper",
        "encoder-decoder",
        "WhisperForConditionalGeneration",
        "WhisperConfig",
        {
            **TWO_STACKS,
            "num_mel_bins": 8,
            "max_source_positions": 13,
            "max_target_positions": 64,
            "suppress_tokens": None,
            "begin_suppress_tokens": None,
        },
        "sound, by `trace_inputs`",
    ),
    Architecture("Llama", "decoder", "LlamaForCausalLM", "LlamaConfig", GROUPED, "rotary; grouped keys and values"),
    Architecture(
        "Mistral",
        "decoder",
        "MistralForCausalLM",
        "MistralConfig",
        {**GROUPED, "sliding_window": 5},
        "rotary; grouped; sliding window",
    ),
    Architecture(
        "Mixtral",
        "decoder",
        "MixtralForCausalLM",
        "MixtralConfig",
        {**GROUPED, "num_local_experts": 4, "sliding_window": 5},
        "rotary; grouped; experts",
    ),
    Architecture("Qwen2", "decoder", "Qwen2ForCausalLM", "Qwen2Config", GROUPED, "rotary; grouped"),
    Architecture("Qwen3", "decoder", "Qwen3ForCausalLM", "Qwen3Config", GROUPED, "rotary; grouped; normed q and k"),
    Architecture("Gemma", "decoder", "GemmaForCausalLM", "GemmaConfig", GROUPED, "rotary; grouped"),
    Architecture(
        "Gemma 2",
        "decoder",
        "Gemma2ForCausalLM",
        "Gemma2Config",
        {**GROUPED, "sliding_window": 5, "attn_logit_softcapping": 2.0},
        "rotary; grouped; soft cap; window",
    ),
    Architecture(
        "Gemma 3",
        "decoder",
        "Gemma3ForCausalLM",
        "Gemma3TextConfig",
        {**GROUPED, "sliding_window": 5},
        "rotary; grouped; normed q and k; window",
    ),
    Architecture("Phi", "decoder", "PhiForCausalLM", "PhiConfig", {**SMALL, "num_key_value_heads": 2}, "partly rotary"),
    Architecture(
        "Phi-3", "decoder", "Phi3ForCausalLM", "Phi3Config", {**GROUPED, "sliding_window": 5}, "rotary; grouped; window"
    ),
    Architecture("GPT-NeoX", "decoder", "GPTNeoXForCausalLM", "GPTNeoXConfig", SMALL, "partly rotary"),
    Architecture(
        "OPT",
        "decoder",
        "OPTForCausalLM",
        "OPTConfig",
        {**{k: v for k, v in SMALL.items() if k != "intermediate_size"}, "ffn_dim": 56, "word_embed_proj_dim": 48},
    ),
    Architecture("OLMo 2", "decoder", "Olmo2ForCausalLM", "Olmo2Config", GROUPED, "rotary; normed q and k"),
    Architecture("Cohere", "decoder", "CohereForCausalLM", "CohereConfig", GROUPED, "rotary; grouped"),
    Architecture(
        "StarCoder2",
        "decoder",
        "Starcoder2ForCausalLM",
        "Starcoder2Config",
        {**GROUPED, "sliding_window": 5},
        "rotary; grouped; window",
    ),
    Architecture(
        "SmolLM3",
        "decoder",
        "SmolLM3ForCausalLM",
        "SmolLM3Config",
        {**GROUPED, "no_rope_layer_interval": 2},
        "rotary in some layers; grouped",
    ),
    Architecture(
        "gpt-oss",
        "decoder",
        "GptOssForCausalLM",
        "GptOssConfig",
        {**GROUPED, "num_local_experts": 4, "sliding_window": 5},
        "rotary; grouped; window; sinks",
    ),
    Architecture("ViT", "vision", "ViTForImageClassification", "ViTConfig", SEES),
    Architecture("DeiT", "vision", "DeiTForImageClassification", "DeiTConfig", SEES, "two special tokens"),
    Architecture(
        "DINOv2",
        "vision",
        "Dinov2ForImageClassification",
        "Dinov2Config",
        {k: v for k, v in SEES.items() if k != "intermediate_size"},
    ),
    Architecture(
        "Swin",
        "vision",
        "SwinForImageClassification",
        "SwinConfig",
        {
            "image_size": 32,
            "patch_size": 4,
            "num_channels": 3,
            "embed_dim": 24,
            "depths": [2, 2],
            "num_heads": [2, 4],
            "window_size": 4,
        },
        "shifted windows, position bias",
        strength=1,
        sharpness=16,
    ),
    Architecture("CLIP", "two encoders", "CLIPModel", "CLIPConfig", _clip(), "text and image"),
    Architecture("BART, labels", "labels", "BartForSequenceClassification", "BartConfig", TWO_STACKS),
    Architecture("T5, labels", "labels", "T5ForSequenceClassification", "T5Config", T5, "learned position bias", 1),
    Architecture(
        "BERT to BERT",
        "labels",
        "EncoderDecoderModel",
        "EncoderDecoderConfig",
        {"encoder": {**SMALL, "model_type": "bert"}, "decoder": WRITES, **STARTS},
    ),
    Architecture(
        "ViT to BERT",
        "captions",
        "VisionEncoderDecoderModel",
        "VisionEncoderDecoderConfig",
        {"encoder": {**SEES, "model_type": "vit"}, "decoder": WRITES, **STARTS},
        "captions of images",
    ),
    Architecture("Wav2Vec2", "sound", "Wav2Vec2ForCTC", "Wav2Vec2Config", HEARS, "by `trace_inputs`"),
    Architecture("HuBERT", "sound", "HubertForCTC", "HubertConfig", HEARS, "by `trace_inputs`"),
    Architecture("UniSpeech", "sound", "UniSpeechForCTC", "UniSpeechConfig", HEARS, "by `trace_inputs`"),
    Architecture("Data2Vec", "sound", "Data2VecAudioForCTC", "Data2VecAudioConfig", HEARS, "by `trace_inputs`"),
    Architecture("SEW", "sound", "SEWForCTC", "SEWConfig", {**HEARS, "squeeze_factor": 2}, "by `trace_inputs`"),
    Architecture(
        "AST",
        "sound",
        "ASTForAudioClassification",
        "ASTConfig",
        {
            "hidden_size": 48,
            "intermediate_size": 56,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "patch_size": 4,
            "frequency_stride": 4,
            "time_stride": 4,
            "max_length": 24,
            "num_mel_bins": 16,
        },
        "by `trace_inputs`",
    ),
    Architecture(
        "Speech2Text",
        "sound to text",
        "Speech2TextForConditionalGeneration",
        "Speech2TextConfig",
        {
            **TWO_STACKS,
            "num_mel_bins": 8,
            "input_feat_per_channel": 8,
            "max_source_positions": 40,
            "max_target_positions": 64,
            "conv_channels": 16,
        },
        "by `trace_inputs`",
    ),
    Architecture(
        "LLaVA",
        "text and image",
        "LlavaForConditionalGeneration",
        "LlavaConfig",
        {
            "vision_config": {**SEES, "model_type": "clip_vision_model"},
            "text_config": {**GROUPED, "model_type": "llama"},
            "image_token_id": 90,
        },
        "rotary; grouped",
    ),
    Architecture(
        "Qwen2-VL",
        "text and image",
        "Qwen2VLForConditionalGeneration",
        "Qwen2VLConfig",
        {
            "text_config": {**GROUPED, "rope_parameters": ROPE},
            "vision_config": QWEN_SEES,
            "image_token_id": 90,
            "video_token_id": 91,
            "vision_start_token_id": 92,
            "vision_end_token_id": 93,
        },
        "rotary in three directions; grouped",
    ),
    Architecture(
        "Idefics3",
        "text and image",
        "Idefics3ForConditionalGeneration",
        "Idefics3Config",
        {
            "vision_config": {**SEES, "image_size": 32},
            "text_config": {**GROUPED, "model_type": "llama"},
            "image_token_id": 90,
            "scale_factor": 2,
        },
        "rotary; grouped",
    ),
    Architecture(
        "PaliGemma",
        "text and image",
        "PaliGemmaForConditionalGeneration",
        "PaliGemmaConfig",
        {
            "vision_config": {**SEES, "model_type": "siglip_vision_model", "vision_use_head": False},
            "text_config": {**GROUPED, "model_type": "gemma"},
            "image_token_id": 90,
            "projection_dim": 48,
            "hidden_size": 48,
        },
        "rotary; grouped; image and question look ahead",
    ),
]

NO_EDIT = {
    "no_scale": {"T5", "mT5", "T5, labels", "OPT", "Whisper"},
    "no_mask": {
        "BERT", "RoBERTa", "XLM-R", "DistilBERT", "ALBERT", "ELECTRA", "ModernBERT", "ViT", "DeiT", "DINOv2", "Swin",
        "Wav2Vec2", "HuBERT", "UniSpeech", "Data2Vec", "SEW", "AST", "PaliGemma",
    },
    "no_positions": {
        "Whisper", "ViT", "DeiT", "DINOv2", "Swin", "CLIP", "BART, labels", "T5, labels", "ViT to BERT", "Wav2Vec2",
        "HuBERT", "UniSpeech", "Data2Vec", "SEW", "AST", "Speech2Text", "LLaVA", "Qwen2-VL", "Idefics3", "PaliGemma",
    },
    "sweep": {"CLIP", "SEW"},
}  # fmt: skip
"""Architectures that refuse an edit on a short input, by its name; all others take it."""

NO_SPLIT = {
    "scores": {"Swin"},
    "logits": {
        "BERT", "RoBERTa", "XLM-R", "DistilBERT", "ALBERT", "ELECTRA", "ModernBERT", "ViT", "DeiT", "DINOv2", "Swin",
        "CLIP", "BART, labels", "T5, labels", "BERT to BERT", "ViT to BERT", "Wav2Vec2", "HuBERT", "UniSpeech",
        "Data2Vec", "SEW", "AST",
    },
    "lens": {"Swin", "CLIP", "SEW"},
}  # fmt: skip
"""Architectures of which something is not split into what earlier parts wrote, or whose lens is not shown."""

SPLIT_ERRORS: dict[str, tuple[float, float, set[str]]] = {
    "sum error": (
        2e-6,
        5e-6,
        {
            "BERT",
            "BART",
            "Marian",
            "Pegasus",
            "StarCoder2",
            "DINOv2",
            "BERT to BERT",
            "HuBERT",
            "Data2Vec",
            "AST",
            "Qwen2-VL",
        },
    ),
    "linearity error": (2e-6, 5e-6, set()),
}
"""Bounds on the errors of a split score, relative to the largest score of its row: of most architectures, and of
some, whose names follow. Each is eight times what was measured, or more, as other processors round in another order."""


def held_to(name: str) -> dict[str, float]:
    """Return what each error of an architecture is held to."""
    return {error: much if name in names else little for error, (little, much, names) in SPLIT_ERRORS.items()}
