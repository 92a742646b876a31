"""`python -m archives FOLDER` writes every golden archive and every damaged one, for a person to look at."""

import sys
from pathlib import Path

from archives import damaged
from archives.golden import ARCHIVES
from archives.writing import write_all

BAD = {name: make() for name, make in vars(damaged).items() if getattr(make, "__module__", "") == damaged.__name__}

if __name__ == "__main__":
    write_all(Path(sys.argv[1]), {name: make() for name, make in ARCHIVES.items()} | BAD)
