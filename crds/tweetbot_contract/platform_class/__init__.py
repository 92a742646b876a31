"""TweetBotClass: what a platform gives to TweetBots, allows them, and lets them spend."""
