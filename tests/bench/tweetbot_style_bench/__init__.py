"""`make bench-style`: whether the style score tells authors apart, and whether two trainings agree on it."""
