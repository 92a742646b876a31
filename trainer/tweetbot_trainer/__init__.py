"""What a trainer Pod does: posts in, a published GPT-2 out."""
