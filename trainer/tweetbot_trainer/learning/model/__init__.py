"""The base model: which one it is (`identity`), where its files come from, and how it is loaded or built."""
