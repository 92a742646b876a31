"""The base model: who it is (`identity`, light), how it is loaded (`base`), built (`scratch`) and saved (`saved`)."""
