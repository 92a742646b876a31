"""The two stages, prepare and train, and what a stage is given."""
