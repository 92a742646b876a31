"""From posts to tensors and losses: examples, mixed and batched for each epoch, packed, and one forward pass."""
