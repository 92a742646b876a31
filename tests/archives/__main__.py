"""`python -m archives FOLDER` writes all golden and damaged archives, to look at them."""

import sys
from pathlib import Path

from archives import damaged
from archives.golden import ARCHIVES
from archives.writing import write_all

BAD = {name: make() for name, make in vars(damaged).items() if getattr(make, "__module__", "") == damaged.__name__}

if __name__ == "__main__":
    write_all(Path(sys.argv[1]), {name: make() for name, make in ARCHIVES.items()} | BAD)
