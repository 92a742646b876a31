"""The commands of `tweetbot-trainer`."""
