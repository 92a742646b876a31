"""How soon `tweetbot-trainer serve` answers, and how soon it writes."""
