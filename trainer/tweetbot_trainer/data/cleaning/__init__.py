"""From posts to cleaned posts, each kept or dropped for one named reason.

clean ─▶ build_recipe ─▶ rewrite each text ─▶ checks, the first that holds drops ─▶ duplicates

huggingtweets.py   the rules of huggingtweets
modern.py          our own, with links.py and retweets.py (both with remains.py), words.py, languages.py, duplicates.py,
                   and personal_data.py with account_patterns.py and contact_patterns.py
"""

from tweetbot_trainer.data.cleaning.clean import CleanedPost, DropCounts, clean
from tweetbot_trainer.data.cleaning.recipes import build_recipe

__all__ = ["CleanedPost", "DropCounts", "build_recipe", "clean"]
