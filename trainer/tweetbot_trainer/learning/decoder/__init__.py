"""Our own decoder-only models: what shapes them (`configs`), and their forward pass."""
