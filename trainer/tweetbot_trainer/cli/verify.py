"""`tweetbot-trainer verify`: check a published model against its manifest, line by line."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tweetbot_contract.handover import ExitCode
from tweetbot_trainer.publishing.registry.lineage import BROKEN, Finding, Verdict, find_version, verify
from tweetbot_trainer.store import OpenStore

_WORDS: dict[Verdict, str] = {
    "ok": "match",
    "differs": "differ",
    "missing": "missing",
    "unproven": "not proven",
    "unsafe": "unsafe",
}


def run_verify(open_store: OpenStore, uri: str, *, digest: str | None, as_json: bool) -> int:
    """Print the findings; return 0 if everything that we wrote matches, otherwise 10 (data refused).

    Raises SpecRefused if no model is published at the address, and as the store does.
    """
    version = find_version(open_store(uri), uri, digest)
    findings = []
    for finding in verify(open_store, version):
        findings.append(finding)
        if not as_json:
            print(_format_line(finding), flush=True)
    intact = not any(finding.verdict in BROKEN for finding in findings)
    print(
        json.dumps(_build_document(version.home, findings, intact=intact))
        if as_json
        else _format_summary(version.home, findings)
    )
    return int(ExitCode.DONE if intact else ExitCode.REFUSED)


def _format_line(finding: Finding) -> str:
    return f"{finding.verdict:8}  {finding.what}  {finding.detail}".rstrip()


def _format_summary(home: str, findings: Sequence[Finding]) -> str:
    counts = Counter(finding.verdict for finding in findings)
    parts = [f"{counts[verdict]} {words}" for verdict, words in _WORDS.items() if counts[verdict]]
    return f"{home}: {', '.join(parts)}"


def _build_document(home: str, findings: Sequence[Finding], *, intact: bool) -> dict[str, Any]:
    entries = [{"verdict": one.verdict, "what": one.what, "detail": one.detail} for one in findings]
    return {"version": home, "intact": intact, "findings": entries}
