"""One pass over one TweetBot: observe, plan, act, write the status once."""
