"""`make bench-style`: print the figures as JSON on stdout.

Without `--base FOLDER`, the base of `make bench-quality` is trained first, which takes minutes.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tweetbot_quality_bench.__main__ import describe_machine, prepare_base
from tweetbot_quality_bench.texts import read_texts
from tweetbot_style_bench.attribution import GULL, measure_attribution, read_accounts
from tweetbot_style_bench.trainings import measure_trainings

#: Accounts that are trained: a comic figure, chat, quips, the grammar of the demo.
TRAINED = ("zippy", "knghtbrd", "men-women", GULL)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-style", description=__doc__)
    parser.add_argument("--base", type=Path, help="a folder for the base; one that is there is not trained again")
    parser.add_argument("--trained", nargs="*", default=TRAINED, help="accounts to train on, in addition")
    asked, begun = parser.parse_args(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        accounts = read_accounts(Path(folder))
        start = prepare_base(asked.base or Path(folder) / "base", read_texts()) if asked.trained else None
        figures = {
            **describe_machine(),
            "attribution": measure_attribution(accounts),
            "trainings": [measure_trainings(name, accounts[name], start) for name in asked.trained if start],
        }
    json.dump({**figures, "seconds": round(time.monotonic() - begun)}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
