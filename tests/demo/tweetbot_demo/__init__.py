"""`make demo`, and its data: an X export of an account that does not exist."""
