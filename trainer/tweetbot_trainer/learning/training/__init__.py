"""The training loop over a GPT-2, and what it needs: optimizer, gradients, LoRA, schedule, state. Imports torch."""
