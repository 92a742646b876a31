"""Pure: from a TweetBot and its run to the manifest of a Job."""
