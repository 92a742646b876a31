"""docs/install.md, typed word by word by somebody who has just built the images; last, as it erases everything."""

import re

import yaml

from e2e.real_platform import NAMESPACE, VERSION, Platform
from e2e.team import Team
from e2e.terminal import ROOT, Terminal, shell_blocks

PAGE = ROOT / "docs" / "install.md"
REGISTRY = "registry.example.com"


def block(words: str) -> str:
    """Return the one block of the page that has these words."""
    (found,) = [each for each in shell_blocks(PAGE) if words in each]
    return found


def tenants() -> str:
    """Return the page's values for a tenant, without the queue, as no Kueue runs here."""
    (found,) = re.findall(r"^```yaml\n(tenants:.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    values = yaml.safe_load(found)
    del values["tenants"][0]["localQueue"]
    return yaml.safe_dump(values)


def test_the_page_leads_from_images_to_a_model_and_back_to_nothing(platform: Platform) -> None:
    type = platform.type
    erase(type)
    push_images(platform)
    assert "Succeeded" in type(block("rollout status"))
    team = Team(platform.cluster, type, "team-a")
    type(
        f"helm upgrade tweetbot-operator charts/tweetbot-operator -n {NAMESPACE} --reuse-values --values - --wait",
        input=tenants(),
    )
    team("delete secret s3")
    secret = block("create secret generic s3").replace("KEY_ID=…", 'KEY_ID="$ACCESS_KEY"')
    type(secret.replace("ACCESS_KEY=…", 'ACCESS_KEY="$SECRET_KEY"'))
    own_posts(platform)
    team.apply("first", **OWN)
    team.wait("first", "ModelReady")
    type(block("uninstall"))
    assert "first" in team("get tweetbots")
    type(block("rollout status"))
    team("delete tweetbot first --timeout=120s")
    type(block("uninstall"))


OWN = {
    "sources": [{"archive": {"uri": "s3://team-a/archives/harbour_gull.zip"}}],
    "output": {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "s3"}}},
}


def own_posts(platform: Platform) -> None:
    """Give team-a a bucket of its own with the demo's posts: the page's policies ask for one."""
    s3 = platform.cluster.s3()
    s3.create_bucket(Bucket="team-a")
    source = {"Bucket": platform.cluster.bucket, "Key": "archives/harbour_gull.zip"}
    s3.copy_object(Bucket="team-a", Key=source["Key"], CopySource=source)


def test_without_helm_kubectl_does(platform: Platform) -> None:
    type = platform.type
    erase(type)
    type(block("kubectl apply --server-side -k"))
    type(f"kubectl -n {NAMESPACE} rollout status deployment/tweetbot-operator --timeout=300s")
    team = Team(platform.cluster, type)
    team.apply("plain")
    team.wait("plain", "ModelReady")
    team("delete tweetbot plain --timeout=120s")
    type("kubectl delete -k kustomize/base")


def erase(type: Terminal) -> None:
    """Do what the page says under "uninstall", to the end."""
    type("kubectl delete tweetbots --all --all-namespaces --timeout=120s", check=False)
    type(block("uninstall"), check=False)
    type("kubectl delete crd tweetbots.tweetbot.dev tweetbotclasses.tweetbot.dev --ignore-not-found")
    type(f"kubectl delete namespace {NAMESPACE} --ignore-not-found")


def push_images(platform: Platform) -> None:
    """Stand in for the registry, which the page leaves to its reader: the node has the images under these names."""
    for half in ("operator", "trainer"):
        platform.node.ctr(
            "images", "tag", "--force",
            f"docker.io/library/tweetbot-{half}:{VERSION}", f"{REGISTRY}/tweetbot-{half}:{VERSION}",
        )  # fmt: skip
