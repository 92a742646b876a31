"""Meta: the owner's export of a Threads or Instagram account."""
