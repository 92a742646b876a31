"""Fine-tuning: our own loop over a GPT-2. Everything here imports torch."""
