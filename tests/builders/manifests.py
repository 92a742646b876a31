"""Manifests for tests: valid by default, name only what matters."""

from copy import deepcopy
from typing import Any

from tweetbot_contract.manifest import parse
from tweetbot_contract.spec.spec import TweetBotSpec

_MINIMAL: dict[str, Any] = {
    "apiVersion": "tweetbot.dev/v1alpha1",
    "kind": "TweetBot",
    "metadata": {"name": "gull", "namespace": "team-a", "uid": "uid-gull", "generation": 1},
    "spec": {
        "subject": {"handle": "harbour_gull"},
        "sources": [{"archive": {"uri": "s3://team-a/harbour_gull.zip"}}],
        "output": {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "s3"}}},
    },
}

A_HUB: dict[str, Any] = {"repo": "harbour/gull", "tokenSecret": {"name": "hub", "key": "token"}}
#: What must not be on the Hub, in the API server and in Python alike, and the field that is named.
NO_COPY: dict[str, tuple[dict[str, Any], str]] = {
    "a public model of somebody": (
        {"output": {"s3": {"uri": "s3://abc/m"}, "huggingFace": {**A_HUB, "visibility": "Public"}}},
        "spec.output.huggingFace.visibility",
    ),
    "a public model with a consent that nobody finds": (
        {
            "subject": {"handle": "harbour_gull", "relation": "Consented", "consentRef": ""},
            "output": {"s3": {"uri": "s3://abc/m"}, "huggingFace": {**A_HUB, "visibility": "Public"}},
        },
        "spec.output.huggingFace.visibility",
    ),
    "a repository without its owner": (
        {"output": {"s3": {"uri": "s3://abc/m"}, "huggingFace": {**A_HUB, "repo": "gull"}}},
        "spec.output.huggingFace.repo",
    ),
    "a repository beside its owner's": (
        {"output": {"s3": {"uri": "s3://abc/m"}, "huggingFace": {**A_HUB, "repo": "../gull"}}},
        "spec.output.huggingFace.repo",
    ),
    "a token for a base in a bucket": (
        {"model": {"base": "s3://abc/gpt2", "tokenSecret": {"name": "hub", "key": "token"}}},
        "spec.model.tokenSecret",
    ),
}
#: What is no memory of a Pod, in the API server and in Python alike: no unit, a wrong one, more than any machine has.
NO_MEMORY: tuple[Any, ...] = (
    "lots", "0Gi", "128m", "16", 16, 16384, "-16Gi", "1e3", "64Ki", "31Mi", "16GB", "16 Gi", "200Ti", "1E",
    "9" * 20, True,
)  # fmt: skip
NO_CPU: tuple[Any, ...] = (
    "many",
    "4Gi",
    "4k",
    "0.0",
    "0m",
    0,
    -1,
    "-1",
    0.0,
    "1e4",
    "0e3",
    "1e",
    "1Gi",
    "10000",
    100000,
    "4 ",
    True,
    [],
    {},
)

#: What rules must let pass, in the API server and in Python alike: parts of a spec by what is unusual in them.
PLAUSIBLE: dict[str, dict[str, Any]] = {
    "keys with dots in S3": {"sources": [{"posts": {"uri": "s3://abc/..posts/.p./a..jsonl"}}]},
    "a prefix with dots": {"output": {"s3": {"uri": "s3://abc/...", "credentialsSecret": {"name": "s3"}}}},
    **{
        f"a public model, {relation}": {
            "subject": {"handle": "harbour_gull", "relation": relation, **consent},
            "output": {"s3": {"uri": "s3://abc/m"}, "huggingFace": {**A_HUB, "visibility": "Public"}},
        }
        for relation, consent in (
            ("Self", {}),
            ("Fictional", {}),
            ("Parody", {}),
            ("Consented", {"consentRef": "https://example.com/consent"}),
        )
    },
    "a private copy of anybody": {"output": {"s3": {"uri": "s3://abc/m"}, "huggingFace": A_HUB}},
    "a base behind a gate": {"model": {"base": "hf://harbour/gpt2", "tokenSecret": {"name": "hub", "key": "token"}}},
    "the highest rate": {"training": {"learningRate": "1.0"}},
    "a tiny rate": {"training": {"learningRate": "0.00000000000001e-99"}},
    "a pin": {"pin": "9108a32a5b6d4c1f"},
    "a pin to a version that was asked for": {"pin": "9108a32a5b6d4c1f-12"},
    "a part of a GPU": {"resources": {"gpu": {"resource": "nvidia.com/mig-1g.5gb"}, "cpu": "1500m", "memory": "0.5Ti"}},
    **{f"memory of {memory}": {"resources": {"memory": memory}} for memory in (2**34, "32Mi", "2e9", "+1.5Gi")},
    **{
        f"cpu of {cpu}": {"resources": {"cpu": cpu}}
        for cpu in (1, 0.5, 2.0, 0.00001, ".5", "1.25", "50m", 9999, "1e3", "25e-2", "+1.", "5u")
    },
    "tolerations of every form": {
        "scheduling": {
            "tolerations": [{"operator": "Exists"}, {"key": "gpu", "value": "yes"}, {"operator": "Exists", "value": ""}]
        }
    },
    "labels of every form": {
        "scheduling": {"nodeSelector": {"gpu": "", "a.example.com/GPU_kind": "A-1.0_x", "k" * 63: "v" * 63}}
    },
    "a schedule with all that cron takes": {"schedule": {"cron": "*/15,7-9 00,23 1-7/2,lw jan-MAR,12 0,7,5L,fri#2"}},
}


def a_manifest(**spec: Any) -> dict[str, Any]:
    """Return a valid manifest; each keyword replaces one field of the spec (snake_case becomes camelCase by hand)."""
    manifest = deepcopy(_MINIMAL)
    manifest["spec"].update(spec)
    return manifest


def a_spec(**spec: Any) -> TweetBotSpec:
    """Return a valid spec; each keyword replaces one field, in its manifest form."""
    return parse(a_manifest(**spec)).spec
