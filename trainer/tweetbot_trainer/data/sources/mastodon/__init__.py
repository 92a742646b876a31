"""Mastodon: the owner's export of an account."""
