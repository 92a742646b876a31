"""How much a model writes like its author: 0 as anybody does, 1 as the author does in posts that nobody trained on.

The author's train posts and as much text of many people are each a Witten-Bell model of character n-grams. The measure
of a text is how much likelier the author's model finds it than the others', in nats a character. Held-out texts of
other people are the floor of the scale, the author's held-out posts are 1. The same is done with function words alone,
after LambdaG (arXiv 2403.08462), since topics move the first figure and hardly the second. How it was chosen:
decision 59.
"""
