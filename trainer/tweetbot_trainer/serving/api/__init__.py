"""What programs ask for: our own API for posts, and the completions that OpenAI clients speak."""
