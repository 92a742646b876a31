"""The TweetBot's bucket, with the keys of its own Secret if the caller may read that."""
