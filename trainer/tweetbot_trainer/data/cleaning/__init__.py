"""From posts to cleaned posts, each kept or dropped for one named reason.

clean ─▶ recipe_of ─▶ rewrite each text ─▶ checks in order, first one wins ─▶ duplicates, earliest stays

original.py   the rules of huggingtweets
modern.py     ours: links.py, words.py, end_marks.py, languages.py, versions.py, duplicates.py, and privacy.py with
              credentials.py, accounts.py, addresses.py, phones.py
"""

from tweetbot_trainer.data.cleaning.clean import CleanedPost, clean
from tweetbot_trainer.data.cleaning.drop_counts import DropCounts, count_posts
from tweetbot_trainer.data.cleaning.recipes import Check, CleaningRecipe, Options, build_recipe, get_options

__all__ = [
    "Check",
    "CleanedPost",
    "CleaningRecipe",
    "DropCounts",
    "Options",
    "build_recipe",
    "clean",
    "count_posts",
    "get_options",
]
