"""Published bases, by family: facts of their config.json (tests/…/published holds these as published)."""

from functools import partial

from tweetbot_contract.spec.families import END_OF_TEXT, GPT2_RATES, Family, KnownBase, ModelShape, Rates, Refusal

_CODE = "it loads code that comes with the model, and only code of this trainer is run"
_QUANTIZED = "its weights are quantized, and only floating-point numbers can be trained"
_PICTURES = "it reads pictures or sound, too, and only models of text are trained"
_EXPERTS = "it is a mixture of experts, and every token must pass the same layers"
_WINDOW = "its attention slides over a window, and only attention to all earlier tokens is trained"
_BIAS = "biases in these layers are not supported"
_SCALING = "positions are stretched in a way that is not supported"

#: What no family takes.
_EVERYWHERE = (
    Refusal("auto_map", _CODE),
    Refusal("custom_pipelines", _CODE),
    Refusal("quantization_config", _QUANTIZED),
    Refusal("vision_config", _PICTURES),
    Refusal("audio_config", _PICTURES),
    Refusal("text_config", _PICTURES),
    Refusal("num_experts", _EXPERTS),
    Refusal("num_local_experts", _EXPERTS),
    Refusal("n_routed_experts", _EXPERTS),
    Refusal("is_encoder_decoder", "it is an encoder with a decoder, and only decoders are trained"),
    Refusal("add_cross_attention", "it attends to an encoder, and only decoders are trained"),
)
_GPT2_KEYS = (
    "n_layer", "n_head", "n_embd", "n_inner", "n_positions", "vocab_size", "activation_function", "layer_norm_epsilon",
    "initializer_range", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn",
    "eos_token_id",
)  # fmt: skip
_LLAMA_KEYS = (
    "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_size", "intermediate_size",
    "max_position_embeddings", "vocab_size", "rms_norm_eps", "initializer_range", "rope_theta", "rope_scaling",
    "rope_parameters", "tie_word_embeddings", "eos_token_id",
)  # fmt: skip
_LLAMA_REFUSED = (
    *_EVERYWHERE,
    Refusal("hidden_act", "its MLP has another activation than silu", ("silu",)),
    Refusal("attention_bias", _BIAS),
    Refusal("mlp_bias", _BIAS),
    Refusal("layer_types", _WINDOW, ("full_attention",)),
    Refusal("use_sliding_window", _WINDOW),
    Refusal("use_mrope", _PICTURES),
    Refusal("partial_rotary_factor", _SCALING, (1, 1.0)),
    Refusal("rope_interleaved", "its rotary positions are interleaved, and a Llama's lie in halves"),
    Refusal("pretraining_tp", "its matrices were cut for several devices", (1,)),
)
_GPT2_TARGETS = ("c_attn", "c_proj", "c_fc")
_LLAMA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
#: As "LoRA Without Regret" (Thinking Machines, 2025) fitted them over models of both makers.
_LLAMA_POWER, _QWEN_POWER = 0.781, 0.0775


def _build_gpt2(weights: int, layers: int, channels: int, *names: str) -> KnownBase:
    shape = ModelShape(weights, layers, channels, 4 * channels, channels, channels, 50257, gated=False)
    return KnownBase(names, shape, "apache-2.0" if "distilgpt2" in names else "mit")


def _build_base(name: str, sizes: tuple[int, int, int, int, int, int, int], *, qk_norm: bool = False) -> KnownBase:
    return KnownBase((name,), ModelShape(*sizes, qk_norm=qk_norm), "apache-2.0")


#: A family of the Llama block: what its config.json may say, and the layers that adapters adapt.
_build_llama = partial(Family, keys=_LLAMA_KEYS, refused=_LLAMA_REFUSED, lora_targets=_LLAMA_TARGETS)

FAMILIES = (
    Family(
        name="GPT-2",
        model_type="gpt2",
        bases=(
            _build_gpt2(81_912_576, 6, 768, "distilbert/distilgpt2", "distilgpt2"),
            _build_gpt2(124_439_808, 12, 768, "openai-community/gpt2", "gpt2"),
            _build_gpt2(354_823_168, 24, 1024, "openai-community/gpt2-medium", "gpt2-medium"),
            _build_gpt2(774_030_080, 36, 1280, "openai-community/gpt2-large", "gpt2-large"),
            _build_gpt2(1_557_611_200, 48, 1600, "openai-community/gpt2-xl", "gpt2-xl"),
        ),
        begin_mark=END_OF_TEXT,
        end_mark=END_OF_TEXT,
        keys=_GPT2_KEYS,
        refused=_EVERYWHERE,
        lora_targets=_GPT2_TARGETS,
    ),
    _build_llama(
        name="SmolLM2",
        model_type="llama",
        bases=(
            _build_base("HuggingFaceTB/SmolLM2-135M", (134_515_008, 30, 576, 1536, 576, 192, 49152)),
            _build_base("HuggingFaceTB/SmolLM2-360M", (361_821_120, 32, 960, 2560, 960, 320, 49152)),
            _build_base("HuggingFaceTB/SmolLM2-1.7B", (1_711_376_384, 24, 2048, 8192, 2048, 2048, 49152)),
        ),
        begin_mark=END_OF_TEXT,
        end_mark=END_OF_TEXT,
        rate_power=_LLAMA_POWER,
    ),
    _build_llama(
        name="Llama 3",
        model_type="llama",
        bases=(
            KnownBase(
                ("meta-llama/Llama-3.2-1B",),
                ModelShape(1_235_814_400, 16, 2048, 8192, 2048, 512, 128256),
                "llama3.2",
                gated=True,
            ),
        ),
        begin_mark="<|begin_of_text|>",
        end_mark="<|end_of_text|>",
        rate_power=_LLAMA_POWER,
    ),
    _build_llama(
        name="Qwen2.5",
        model_type="qwen2",
        bases=(
            _build_base("Qwen/Qwen2.5-0.5B", (494_032_768, 24, 896, 4864, 896, 128, 151936)),
            _build_base("Qwen/Qwen2.5-1.5B", (1_543_714_304, 28, 1536, 8960, 1536, 256, 151936)),
        ),
        begin_mark=END_OF_TEXT,
        end_mark=END_OF_TEXT,
        rate_power=_QWEN_POWER,
    ),
    _build_llama(
        name="Qwen3",
        model_type="qwen3",
        bases=(
            _build_base("Qwen/Qwen3-0.6B-Base", (596_049_920, 28, 1024, 3072, 2048, 1024, 151936), qk_norm=True),
            _build_base("Qwen/Qwen3-1.7B-Base", (1_720_574_976, 28, 2048, 6144, 2048, 1024, 151936), qk_norm=True),
        ),
        begin_mark=END_OF_TEXT,
        end_mark=END_OF_TEXT,
        rate_power=_QWEN_POWER,
    ),
)

#: Why bases of other architectures that people ask for are not taken, by their model_type.
OTHER_TYPES = {
    "gemma": "it scales embeddings and norms in ways of its own",
    "gemma2": "it caps its logits, and half its layers attend to a window",
    "gemma3_text": "most of its layers attend to a window",
    "gpt_neo": "half its layers attend to a window",
    "gpt_neox": "its blocks are parallel, and its positions rotary in part",
    "mistral": _WINDOW,
    "mixtral": _EXPERTS,
    "phi3": "its projections are fused, and its positions stretched by lists",
    "qwen2_moe": _EXPERTS,
    "qwen2_vl": _PICTURES,
    "qwen3_5": "most of its layers have linear attention",
    "qwen3_moe": _EXPERTS,
    "smollm3": "some of its layers have no positions",
}

_BY_NAME = {name: base for family in FAMILIES for base in family.bases for name in base.names}
_ADDED = ("-Instruct", "-instruct", "-Chat", "-chat", "-it", "-SFT", "-DPO")


def find_base(uri: str) -> KnownBase | None:
    """Return the published base that an address such as hf://gpt2 names, or None."""
    return _BY_NAME.get(uri.removeprefix("hf://").rstrip("/")) if uri.startswith("hf://") else None


def list_families(model_type: str) -> tuple[Family, ...]:
    """Return the families of an architecture; they differ in their tokenizers alone."""
    return tuple(family for family in FAMILIES if family.model_type == model_type)


def find_rates(model_type: str, channels: int) -> Rates:
    """Return the rates of a base of this architecture and width; those of GPT-2 where it is unknown."""
    families = list_families(model_type)
    return families[0].find_rates(channels) if families else GPT2_RATES


def suggest_base(uri: str) -> str | None:
    """Return the address of the base that a chat-tuned model of a known name was made from, or None."""
    name = uri.removeprefix("hf://").rstrip("/")
    plain = next((name.removesuffix(end) for end in _ADDED if name.endswith(end)), name)
    return next((f"hf://{each}" for each in (plain, f"{plain}-Base") if each in _BY_NAME and each != name), None)
