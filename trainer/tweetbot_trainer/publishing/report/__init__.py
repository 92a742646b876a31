"""What people and programs read about a model: its card, its pictures, and evaluation.json and samples.jsonl."""
