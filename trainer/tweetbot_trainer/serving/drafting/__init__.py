"""Models that are served, the queue before each, and the drawing of posts as events."""
