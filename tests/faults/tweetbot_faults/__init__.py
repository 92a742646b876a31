"""The standing harness: plays the fault matrix, judges by oracles, and writes docs/reliability.md (decision 52)."""
