"""Fine-tuning: the effective values (`values`, light) and our own loop over a GPT-2 (`loop`, imports torch)."""
