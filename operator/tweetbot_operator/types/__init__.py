"""Frozen values that the rooms exchange, and what reads them."""
