"""`kubectl tweetbot`: what people do with TweetBots from a terminal, with their own rights. Imports no torch."""
