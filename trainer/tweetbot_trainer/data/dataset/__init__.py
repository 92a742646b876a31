"""The dataset: its posts, ids and splits, stored by digest."""
