"""`make bench-trainer`: our training loop beside the tuned loops of the field, on the same tokens and weights."""
