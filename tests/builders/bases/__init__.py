"""Bases as the Hub has them."""
