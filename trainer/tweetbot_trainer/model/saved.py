"""Write a finished model as the flat directory that transformers, vLLM and KServe load as it is."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel
from transformers.utils.logging import disable_progress_bar

from tweetbot_trainer.model.tokenizer import END_MARK, end_mark_id, write_tokenizer
from tweetbot_trainer.sampling import Sampling

GENERATION_CONFIG = "generation_config.json"
#: What save_model writes; the card joins them.
MODEL_FILES = ("config.json", GENERATION_CONFIG, "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def save_model(model: GPT2LMHeadModel, tokenizer: Tokenizer, sampling: Sampling, folder: Path) -> None:
    """Write MODEL_FILES into the folder; the same weights give the same bytes."""
    mark = end_mark_id(tokenizer)
    folder.mkdir(parents=True, exist_ok=True)
    model.config.prefix = END_MARK  # the text-generation pipeline puts it before every prompt
    model.config.bos_token_id = model.config.eos_token_id = mark
    disable_progress_bar()  # stderr carries our JSON lines
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors leaves it readable to its owner alone
    write_tokenizer(tokenizer, folder, model.config.n_positions)
    settings = json.dumps(generation_settings(sampling, mark), indent=2, sort_keys=True) + "\n"
    (folder / GENERATION_CONFIG).write_text(settings, encoding="utf-8")


def generation_settings(sampling: Sampling, end_mark: int) -> dict[str, Any]:
    """Return every generation value: what is left out, each library fills in with a default of its own."""
    return {
        "bos_token_id": end_mark,
        "do_sample": True,
        "eos_token_id": end_mark,
        "max_new_tokens": sampling.max_new_tokens,
        "min_new_tokens": sampling.min_new_tokens,
        "num_beams": 1,
        "pad_token_id": end_mark,
        "repetition_penalty": 1.0,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
    }
