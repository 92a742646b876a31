"""The demo's own data: an X export of an account that does not exist."""
