"""The X API: timelines read page by page, each paid page kept."""
