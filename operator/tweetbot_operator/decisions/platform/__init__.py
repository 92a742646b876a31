"""Pure: what a TweetBotClass gives to a run, allows it, and lets it spend."""
