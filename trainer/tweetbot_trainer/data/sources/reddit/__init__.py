"""Reddit: the owner's data, as Reddit answers a data request."""
