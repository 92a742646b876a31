"""Where a finished model goes: the registry in S3, its card, and W&B."""
