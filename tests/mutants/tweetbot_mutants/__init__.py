"""Puts one fault at a time into a dangerous module, and asks whether its unit tests notice."""
