"""Files that people upload, opened by what they contain: a zip, a .tar.gz, a .tar, a .gz, or one file of an export.

    allowed = re.compile(r"(?:[^/]+/){0,4}?(?P<file>outbox\\.json|actor\\.json)")    # paths are in lower case, with /
    opened = open_export(file, allowed)
    if outbox := opened.members.get("outbox.json"):    # keyed by the group `file`; nothing else can be opened
        with outbox.open() as content:                 # a stream; raises SpecRefused if it is locked, a bomb, …
            ...
    raise build_empty_refusal(opened, kind="mastodon", wanted="outbox.json")

Nothing is extracted. Reading raises SpecRefused or, for damage, one of BROKEN; `translate_damage` makes it a refusal.
Messages have no address: the source puts it before them (`refusals.put_address`).

export.py    open_export, ExportFile, Member
names.py     names as they are compared: `\\`, `./`, drives and what systems add by themselves are gone
zips.py      the table of contents, measured before zipfile loads it; mac_zips.py those over 4 GiB from macOS
tars.py      the members of a tar; streams.py positions in a gzip stream to which one can return
foreign.py   what a file is that no source reads; contents.py what an archive holds instead of posts
refusals.py  refusals and damage
"""

from tweetbot_trainer.data.sources.archive_files.contents import build_empty_refusal
from tweetbot_trainer.data.sources.archive_files.export import ExportFile, Member, open_export
from tweetbot_trainer.data.sources.archive_files.refusals import BROKEN, build_refusal, put_address, translate_damage

__all__ = [
    "BROKEN",
    "ExportFile",
    "Member",
    "build_empty_refusal",
    "build_refusal",
    "open_export",
    "put_address",
    "translate_damage",
]
