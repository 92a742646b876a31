"""Pure: what was observed of a TweetBot, in; what to do and what to say, out."""
