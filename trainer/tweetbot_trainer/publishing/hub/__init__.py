"""Copies of published versions on the Hugging Face Hub. A fault here never fails a run."""
