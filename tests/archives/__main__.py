"""`python -m archives FOLDER` writes all golden and damaged archives, to look at them."""

import sys
from pathlib import Path

from archives import damaged, meta, reddit
from archives.golden import ARCHIVES
from archives.writing import make_zip, write_all

BAD = {name: make() for name, make in vars(damaged).items() if getattr(make, "__module__", "") == damaged.__name__}
OTHERS = {
    "threads": meta.make_threads_export,
    "instagram": meta.make_instagram_export,
    "reddit": reddit.make_export,
}

if __name__ == "__main__":
    write_all(Path(sys.argv[1]), {name: make() for name, make in ARCHIVES.items()} | BAD)
    write_all(Path(sys.argv[1]), {name: make_zip(make()) for name, make in OTHERS.items()})
