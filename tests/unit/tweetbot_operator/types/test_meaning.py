"""What a scheduler, a kubelet, a registry and Kueue say means the same with other numbers, and not with other names."""

import pytest

from tweetbot_operator.types.times import extract_meaning, shorten

SAME = {
    "more nodes, in another order": (
        "0/5 nodes are available: 2 node(s) had untolerated taint {gpu: true}, 3 Insufficient memory. preemption: 0/5 "
        "nodes are available: 2 Preemption is not helpful for scheduling, 3 No preemption victims found.",
        "0/42 nodes are available: 11 Insufficient memory, 31 node(s) had untolerated taint {gpu: true}. preemption: "
        "0/42 nodes are available: 11 No preemption victims found, 31 Preemption is not helpful for scheduling.",
    ),
    "a quota's use": (
        "exceeded quota: gpus, requested: memory=96Mi,requests.nvidia.com/gpu=1, used: memory=1Gi,"
        "requests.nvidia.com/gpu=2, limited: memory=1Gi,requests.nvidia.com/gpu=2",
        "exceeded quota: gpus, requested: memory=98304Ki,requests.nvidia.com/gpu=1, used: memory=1073741824,"
        "requests.nvidia.com/gpu=8, limited: memory=100Mi,requests.nvidia.com/gpu=8",
    ),
    "Kueue's need": (
        "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor a100, 100m more needed",
        "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor a100, 3500m more needed",
    ),
    "a registry's addresses": (
        "dial tcp: lookup ghcr.io on 10.96.0.10:53: read udp 10.244.1.7:43210->10.96.0.10:53: i/o timeout after 5.003s",
        "dial tcp: lookup ghcr.io on 10.96.0.10:53: read udp 10.244.9.1:60001->10.96.0.10:53: i/o timeout after 1m0s",
    ),
    "a request's id": (
        "429 Too Many Requests: slow down (Request ID: C3D2:1A2B:4F5E:6F70:65A1), trace-id=zzAA/b+c=",
        "429 Too Many Requests: slow down (Request ID: 9A7B:77AC:11FE:9F00:65A2), trace-id=yyBB/d+e=",
    ),
    "uuids and hashes": (
        "volume 8f14e45f-ceea-4673-9b1a-2d3c4b5a6978 of container 3b7e1a09c2d4e5f6 at sha256:ab12cd34ef56ab78",
        "volume 1679091c-5a88-4faf-afb5-e6087eb1b2dc of container 9f8e7d6c5b4a3921 at sha256:0011223344556677",
    ),
    "a Pod's generated name": (
        "Volume is already used by pod(s) gull-1a2b3c4d-train-x7k2q since 2026-01-01T12:00:05Z",
        "Volume is already used by pod(s) gull-1a2b3c4d-train-zzkqp since 2026-03-01T09:11:00.123Z",
    ),
    "a Pod's generated name before its namespace": (
        "back-off 10s restarting failed container=trainer pod=gull-1a2b3c4d-train-x7k2q_team-a(3b7e1a09c2d4)",
        "back-off 5m0s restarting failed container=trainer pod=gull-1a2b3c4d-train-zzkqp_team-a(9f8e7d6c5b4a)",
    ),
    "a time in words": ("no answer since Mon Jan  2 15:04:05 2026", "no answer since Tue Feb 13 05:14:55 2026"),
    "a Unix time": ("ts=1700000000.123 caller=x", "ts=1700000999.9 caller=x"),
    "a node's name that is its address": ("node ip-10-0-3-17 is full", "node ip-10-0-99-4 is full"),
    "a sign": ("budget: -5 left", "budget: +12 left"),
    "a number of another base": ("object 0x1a2b is stale", "object 0xFFEE is stale"),
    "how often": ("no answer (x3 over 5m)", "no answer (x17 over 2h)"),
}
OTHER = {
    "another resource": (
        "0/5 nodes are available: 5 Insufficient cpu.",
        "0/5 nodes are available: 5 Insufficient memory.",
    ),
    "another Secret": ('secret "s3-a" not found', 'secret "s3-b" not found'),
    "another Secret by its number": ('secret "wandb1" not found', 'secret "wandb2" not found'),
    "another flavor": ("insufficient quota in flavor a100", "insufficient quota in flavor h100"),
    "another image": ('pull access denied for "trainer"', 'pull access denied for "trainer-cuda"'),
    "another number alone": ("1", "2"),
    "another name with a number": ("team-5 is full", "team-6 is full"),
    "another fault": ("connect: connection refused", "connect: no route to host"),
}


@pytest.mark.parametrize("words", SAME.values(), ids=SAME)
def test_it_means_the_same(words: tuple[str, str]) -> None:
    assert words[0] != words[1]
    assert extract_meaning(words[0]) == extract_meaning(words[1])


@pytest.mark.parametrize("words", OTHER.values(), ids=OTHER)
def test_it_means_something_else(words: tuple[str, str]) -> None:
    assert extract_meaning(words[0]) != extract_meaning(words[1])


@pytest.mark.parametrize(
    "words",
    ["1" * 4000, "1a" * 2000 + "!", "1-" * 2000, "a" * 4000, "-b" * 2000, "ip-1" * 2000, "+-" * 2000, "id: " * 1000],
)
def test_no_words_of_a_tenant_take_long(words: str) -> None:
    """They may write what they like into an Event; a pattern that backtracks would stop every pass."""
    assert len(extract_meaning(words)) >= 1


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("The model is published.", "The model is published."),
        ("Fine-tuning, step 3 of 7. Last trouble: a long one.", "Fine-tuning, step 3 of 7."),
        ("No node can take the Pod, as all of them are full.", "No node can take the Pod, as all…"),
        ("s3://team-a/models/team-a/harbour-gull/models/1", "s3://team-a/models/team-a/harbour-…"),
    ],
)
def test_a_text_is_shortened_to_sentences_or_else_to_words(text: str, short: str) -> None:
    assert shorten(text, 35) == short
    assert len(short) <= 35
