"""The base model: which one it is (`identity`, imports no torch), how it is loaded (`base`) and built (`scratch`)."""
