"""`tweetbot-trainer plan`."""
