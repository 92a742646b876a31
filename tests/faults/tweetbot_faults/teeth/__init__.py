"""Operators and trainers with one planted bug each: the oracle that is named for it must fire."""
