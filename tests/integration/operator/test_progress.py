"""Progress from a Pod to `kubectl get`, with tokens of a real API server."""

import json
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from builders.operator import a_prepare_result, a_train_result
from builders.progress import a_report
from harness.operator_process import OperatorProcess, audited, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.operator_server import progress_env
from tweetbot_cluster.state import free_ports
from tweetbot_contract.handover import build_progress_audience, build_progress_path
from tweetbot_contract.result import encode
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.progress.tokens import ApiKeys

_TRAINER = """#!{python}
import os, pathlib, sys, time
here, stage = pathlib.Path(__file__).parent, sys.argv[1]
if stage == "train":
    from tweetbot_trainer.publishing.tracking.operator_progress import ProgressEndpoint
    place = ProgressEndpoint.of(os.environ)
    (here / "token").write_text(place.token.read_text())
    place.post((here / "report").read_bytes())
    while not (here / "go").exists():
        time.sleep(0.1)
pathlib.Path(os.environ["TWEETBOT_TERMINATION_LOG"]).write_bytes((here / (stage + ".json")).read_bytes())
"""


@dataclass(frozen=True)
class Place:
    """A cluster with an operator that takes reports, and the folder that its trainers play from."""

    cluster: EmbeddedCluster
    operator: OperatorProcess
    image: Path
    port: int

    def post(self, tenant: Tenant, name: str, token: str) -> int:
        """Report for a bot's run with this token; answers the HTTP status."""
        run = tenant.status(name)["currentRun"]["id"]
        url = f"https://127.0.0.1:{self.port}{build_progress_path(tenant.namespace, name, run)}"
        request = urllib.request.Request(url, a_report(50), {"Authorization": f"Bearer {token}"})
        context = ssl.create_default_context(cafile=str(self.cluster.state.certificates / "ca.crt"))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=120) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture(scope="module")
def place(home: EmbeddedCluster, images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    image, (port,) = images["own-trainer*"], free_ports(1)
    (image / "tweetbot-trainer").write_text(_TRAINER.format(python=sys.executable))
    (image / "tweetbot-trainer").chmod(0o755)
    (image / "prepare.json").write_bytes(encode(a_prepare_result()))
    (image / "train.json").write_bytes(encode(a_train_result()))
    (image / "report").write_bytes(a_report(41, 754, loss=2.5, current_step=41, total_steps=100))
    env = {**progress_env(home.state, port), "TWEETBOT_TRAINER_IMAGE": "own-trainer:1"}
    with OperatorProcess(home.operator_kubeconfig, tmp_path_factory.mktemp("progress") / "log", env) as operator:
        yield Place(home, operator, image, port)


def column(tenant: Tenant, name: str, title: str) -> str:
    """Return what `kubectl get` prints for a TweetBot below a title."""
    head, row = tenant("get", "tweetbot", name).splitlines()
    return row[head.index(title) :].split("  ")[0].strip()


def test_progress_goes_from_the_pod_to_kubectl_and_away_at_the_end(place: Place) -> None:
    tenant = Tenant(place.cluster)
    tenant.apply("gull")
    until(lambda: "progress" in tenant.status("gull").get("currentRun", {}), 240)
    progress = tenant.status("gull")["currentRun"]["progress"]
    assert (progress["percent"], progress["step"], progress["etaSeconds"], progress["trainLoss"]) == (41, 41, 754, 2.5)
    assert (column(tenant, "gull", "PROGRESS"), column(tenant, "gull", "ETA")) == ("41", "12m")
    series = f'tweetbot_run_progress_percent{{bot="gull",bot_namespace="{tenant.namespace}"}} 41.0'
    assert series in place.operator.metrics()

    audience = build_progress_audience(tenant.namespace, "gull", tenant.status("gull")["currentRun"]["id"])
    token = (place.image / "token").read_text()
    of_nobody = tenant("create", "token", "default", f"--audience={audience}").strip()
    for_the_server = tenant("create", "token", "default").strip()
    assert place.post(tenant, "gull", token) == 200
    assert [place.post(tenant, "gull", each) for each in (of_nobody, for_the_server, token[:-4] + "AAAA")] == [401] * 3

    (place.image / "go").touch()
    tenant.wait("gull", "ModelReady", 240)
    until(lambda: tenant.namespace not in place.operator.metrics(), 120)
    assert tenant.status("gull")["currentRun"]["progress"]["percent"] == 100
    assert place.post(tenant, "gull", token) == 403
    assert reviews_asked_for(place.cluster) == []


def reviews_asked_for(cluster: EmbeddedCluster) -> list[str]:
    """Return the TokenReviews that the operator made: none, where it knows the keys."""
    mine = [
        line["requestURI"] for line in audited(cluster.audit_log) if line["user"]["username"] == "tweetbot-operator"
    ]
    return [uri for uri in mine if "tokenreviews" in uri]


def test_the_api_server_refuses_a_trainers_token(place: Place) -> None:
    """Whoever takes it from the Pod can do nothing with it but report."""
    tenant = Tenant(place.cluster)
    kubeconfig = json.loads(place.cluster.kubeconfig.read_text())
    token = tenant("create", "token", "default", "--audience=tweetbot.dev/some-run").strip()
    cluster = kubeconfig["clusters"][0]["cluster"]
    context = ssl.create_default_context(cafile=str(place.cluster.state.certificates / "ca.crt"))
    request = urllib.request.Request(f"{cluster['server']}/api", headers={"Authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        opener.open(request, timeout=120)


async def test_the_api_server_shows_its_keys_and_judges_tokens(place: Place) -> None:
    tenant = Tenant(place.cluster)
    configuration = Configuration()
    await config.load_kube_config(str(place.cluster.kubeconfig), client_configuration=configuration)
    client = ApiClient(configuration)
    try:
        keys = ApiKeys(ApiRequests(client, timeout_seconds=120))
        issuer, found = await keys.signing_keys()
        token = tenant("create", "token", "default", "--audience=this").strip()
        good, bad = await keys.review(token, "this"), await keys.review(token, "that")
    finally:
        await client.close()
    assert (issuer, [key["kty"] for key in found["keys"]]) == ("https://kubernetes.default.svc", ["RSA"])
    assert (good["authenticated"], good["audiences"], bad.get("authenticated", False)) == (True, ["this"], False)
