"""`tweetbot-trainer remove-hashes`: remove a file of older versions out of which posts can be read."""

import json
from dataclasses import asdict

from tweetbot_contract.handover import ExitCode
from tweetbot_trainer.publishing.registry.hash_removal import RemovalResult, remove_hashes
from tweetbot_trainer.publishing.registry.manifest import REMOVED_FILE
from tweetbot_trainer.store import ObjectStore

_ADVICE = f"Anybody who has a copy of these models should delete {REMOVED_FILE.rpartition('/')[2]} from it."


def run_remove_hashes(store: ObjectStore, root: str, *, dry_run: bool, as_json: bool) -> int:
    """Remove the file below an address and print from which versions; return 10 if a manifest among them is unreadable.

    Raises as the store does.
    """
    result = remove_hashes(store, root, dry_run=dry_run)
    if as_json:
        print(json.dumps(asdict(result) | {"dryRun": dry_run}))
    else:
        print("\n".join(_format_lines(result, dry_run=dry_run)))
    return int(ExitCode.REFUSED if result.unreadable else ExitCode.DONE)


def _format_lines(result: RemovalResult, *, dry_run: bool) -> list[str]:
    action = "would be removed from" if dry_run else "removed from"
    return [
        *(f"{action}  {home}" for home in result.versions),
        *(f"unknown  {home}: its manifest is unreadable; delete the version" for home in result.unreadable),
        f"{REMOVED_FILE} {action} {len(result.versions)} versions; {result.erased} objects erased, older ones included",
        *([_ADVICE] if result.versions else []),
    ]
