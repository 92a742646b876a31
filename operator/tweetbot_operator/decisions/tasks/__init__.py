"""Jobs beside a run's stages: what spec.pin and a request to forget posts need, and what is said of them. Pure."""
