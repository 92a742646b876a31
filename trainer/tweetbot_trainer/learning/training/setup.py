"""Prepare a GPT-2 for training: dropout and a fused activation."""

from torch import nn
from transformers import GPT2LMHeadModel
from transformers.activations import ACT2FN, NewGELUActivation


def prepare_for_training(model: GPT2LMHeadModel, dropout: float, attention_dropout: float = 0.0) -> GPT2LMHeadModel:
    """Set training mode, the dropout rates (recorded in the model's config), and the same activation in one kernel.

    Only recipe huggingtweets drops attention weights: that puts every step on the slow attention kernel.
    """
    model.config.embd_pdrop = model.config.resid_pdrop = dropout
    model.config.attn_pdrop = attention_dropout
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            module.p = attention_dropout if name.endswith("attn_dropout") else dropout
    for block in model.transformer.h:
        if isinstance(block.mlp.act, NewGELUActivation):
            block.mlp.act = ACT2FN["gelu_pytorch_tanh"]
    model.train()
    return model
