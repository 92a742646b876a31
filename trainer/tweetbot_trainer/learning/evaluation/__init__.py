"""How good a model is: how well it predicts unseen posts, and how much it repeats from those it was trained on."""
