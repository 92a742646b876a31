"""What watches TweetBots, decides and acts."""
