"""From a source of posts to a dataset."""
