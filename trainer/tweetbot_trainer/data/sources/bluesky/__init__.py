"""Bluesky: the public API and an account's exported repository."""
