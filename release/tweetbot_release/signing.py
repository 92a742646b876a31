"""One signature, of the sums, by cosign: with a key, or with the identity that a host gives to its workflow."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tweetbot_release.source import ReleaseFailed

_UNSIGNED = "not signed: for that set COSIGN_KEY to a key of cosign's, or run where the host gives an identity (OIDC)"


def sign(sums: Path, env: Mapping[str, str]) -> str:
    """Sign the sums if there is a key or an identity; return a sentence for the user. Raises ReleaseFailed."""
    options = choose_options(env)
    if options is None:
        return _UNSIGNED
    if not shutil.which("cosign", path=env.get("PATH")):
        raise ReleaseFailed("there is a key or an identity to sign with, but no cosign on PATH")
    bundle = sums.with_name(f"{sums.name}.sigstore.json")
    command = ["cosign", "sign-blob", "--yes", *options, "--bundle", str(bundle), str(sums)]
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseFailed(f"cosign: {done.stderr.strip()}")
    return f"signed: {bundle.name}"


def choose_options(env: Mapping[str, str]) -> list[str] | None:
    """Return cosign's options, or None where nothing signs. Signatures by a key stay out of public logs."""
    if key := env.get("COSIGN_KEY"):
        return ["--key", key, "--use-signing-config=false", "--tlog-upload=false"]
    identity = ("SIGSTORE_ID_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    return [] if any(env.get(name) for name in identity) else None
