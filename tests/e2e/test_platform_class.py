"""A tenant of a platform with rules: a manifest of five lines, and a TweetBotClass that knows the rest."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from e2e.private_network import HOST, ForwardProxy, serve_private_bucket
from e2e.real_platform import LEFT, Platform
from e2e.team import Team
from e2e.terminal import ROOT
from harness.operator_process import until
from tweetbot_cluster.kubernetes.certificates import Authority

EXAMPLES = ROOT / "crds" / "examples"


@dataclass(frozen=True)
class Company:
    """A platform's class, the proxy that it names, and one of its teams."""

    platform: Platform
    proxy: ForwardProxy
    team: Team
    name: str

    def allow(self, runs: int) -> None:
        """Write the example's class for this network, without GPUs; `runs` of a namespace may begin in an hour."""
        manifest = yaml.safe_load((EXAMPLES / "class.yaml").read_text(encoding="utf-8"))
        manifest["metadata"] = {"name": self.name}
        spec = manifest["spec"]
        s3 = spec["defaults"]["output"]["s3"]
        s3 |= {"uri": "s3://tweetbot/{namespace}", "endpoint": f"https://{HOST}", "addressingStyle": "Path"}
        spec["defaults"] |= {
            "model": {"base": "scratch://mini"},
            "training": {"epochs": 1},
            "resources": {"gpu": {"count": 0}, "cpu": "500m", "memory": "1Gi"},
        }
        del spec["defaults"]["scheduling"], spec["defaults"]["evaluation"]  # no such nodes, and posts that repeat
        spec["limits"]["buckets"] = ["s3://tweetbot/{namespace}"]
        spec["pods"]["proxy"] |= {"http": self.proxy.url, "https": self.proxy.url}
        spec["budgets"] = [{"runs": runs, "windowHours": 1}]
        self.platform.type("kubectl apply -f -", input=yaml.safe_dump(manifest, sort_keys=False))

    def apply(self, bot: str, *, check: bool = True, **spec: Any) -> str:
        """Apply the example's manifest of five lines, with more fields of spec; answers what kubectl says."""
        manifest = yaml.safe_load((EXAMPLES / "five-lines.yaml").read_text(encoding="utf-8"))
        manifest["metadata"]["name"] = bot
        archive = {"uri": "s3://tweetbot/archives/harbour_gull.zip"}
        manifest["spec"] |= {"className": self.name, "sources": [{"archive": archive}], **spec}
        return self.team("apply -f -", input=yaml.safe_dump(manifest, sort_keys=False), check=check)

    def status(self, bot: str) -> dict[str, Any]:
        """Return a TweetBot's status."""
        found: dict[str, Any] = json.loads(self.team(f"get tweetbot {bot} -o json", keep=False))["status"]
        return found


@pytest.fixture(scope="module")
def company(platform: Platform) -> Iterator[Company]:
    folder = LEFT / "company-ca"
    folder.mkdir(exist_ok=True)
    authority = Authority(folder)
    with serve_private_bucket(platform.cluster, authority) as proxy:
        team = Team(platform.cluster, platform.type)
        team(f"create configmap platform-ca --from-file=ca.crt={authority.certificate_file.relative_to(ROOT)}")
        company = Company(platform, proxy, team, f"company-{secrets.token_hex(3)}")
        company.allow(runs=1)
        yield company
        platform.type(f"kubectl delete namespace {team.namespace} --wait=false")
        platform.type(f"kubectl delete tweetbotclass {company.name}")


def test_five_lines_make_a_model_by_way_of_the_proxy_and_with_trust_in_the_companys_ca(company: Company) -> None:
    company.apply("first")
    company.team.wait("first", "ModelReady")
    status = company.status("first")
    assert status["model"]["uri"].startswith(f"s3://tweetbot/{company.team.namespace}/")
    folder = status["model"]["uri"].removeprefix("s3://tweetbot/")
    card = company.platform.cluster.s3().get_object(Bucket="tweetbot", Key=f"{folder}/README.md")
    assert b"harbour_gull" in card["Body"].read()
    pods = company.team.field("pods", ".status.podIP", "cost-center=4711")
    assert len(pods) == 2
    assert (company.proxy.clients, company.proxy.refused) == (set(pods), [])


def test_the_api_server_refuses_what_the_class_does_not_allow(company: Company) -> None:
    said = company.apply("elsewhere", check=False, output={"s3": {"uri": "s3://tweetbot/others"}})
    allowed = f"TweetBotClass {company.name} allows s3://tweetbot/{company.team.namespace}"
    assert f"spec.output.s3.uri: {allowed}" in said


def test_a_budget_that_is_used_up_holds_the_next_run_until_there_is_room_and_stops_none(company: Company) -> None:
    company.apply("second")
    company.team.wait("second", "reason=BudgetExceeded")
    said = company.team("get tweetbot second -o jsonpath='{.status.phase}: {.status.conditions[*].message}'")
    assert said.startswith("Queued: ")
    assert "The budget has room at" in said
    assert jobs(company, "second") == []
    company.allow(runs=2)
    until(lambda: jobs(company, "second") != [], 120)
    company.allow(runs=1)
    company.team.wait("second", "ModelReady")
    assert (len(jobs(company, "second")), company.status("second")["currentRun"]["number"]) == (2, 1)
    assert (len(jobs(company, "first")), company.status("first")["currentRun"]["number"]) == (2, 1)


def jobs(company: Company, bot: str) -> list[str]:
    return company.team.field("jobs", ".metadata.uid", f"tweetbot.dev/bot={bot}")
