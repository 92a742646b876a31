"""`make bench-operator`: figures measured side by side, printed as JSON, never asserted."""
