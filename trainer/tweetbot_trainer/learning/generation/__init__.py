"""Let a model write posts: token sampling, and from tokens to posts."""
