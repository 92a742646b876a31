"""The chart through the real helm: what it renders, and what a real API server makes of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.alias_generators import to_camel

from builders.manifests import a_manifest
from harness.chart.wrong_values import Walk, merge_wrong
from harness.helm import CHART, CI, NAMESPACE, RELEASE, ROOT, Helm, HelmFailed, Manifest, the
from tweetbot_chart import plain
from tweetbot_chart.policy_values import AdmissionPolicies
from tweetbot_chart.settings_values import ELSEWHERE
from tweetbot_cluster.binaries import HELM, find_or_build, to_stderr
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_contract.handover import MANAGED_BY, MANAGED_BY_LABEL
from tweetbot_contract.platform_class.prices import PRICES_CONFIG_MAP, PRICES_KEY, PRICES_NAMESPACE, Prices
from tweetbot_contract.progress import PROGRESS_PORT
from tweetbot_kubectl.manifests.own_pods import MANAGED_BY as PLUGIN
from tweetbot_operator.settings import OperatorSettings, load_settings

#: Kinds of other people that the chart makes when asked, for a server that would refuse what it does not know.
OTHERS = {
    ("monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor"),
    ("monitoring.coreos.com", "v1", "podmonitors", "PodMonitor"),
    ("monitoring.coreos.com", "v1", "prometheusrules", "PrometheusRule"),
    ("kueue.x-k8s.io", "v1beta2", "localqueues", "LocalQueue"),
}
CLUSTER_SCOPED = {
    "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}  # fmt: skip
ON = {"enabled": True}


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def renderings(helm: Helm) -> dict[str, list[Manifest]]:
    """What the chart makes of each file of values that it is tried with."""
    return {file.stem.removesuffix("-values"): helm.render("-f", str(file)) for file in CI}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """An API server alone, with the kinds of others; nothing of ours is installed."""
    with EmbeddedCluster(tmp_path_factory.mktemp("server"), parts=("etcd", "kube-apiserver")) as cluster:
        for namespace in (NAMESPACE, "team-a", "team-b"):
            cluster.kubectl("create", "namespace", namespace)
            cluster.kubectl("create", "serviceaccount", "default", "-n", namespace)  # no controller makes it here
        kinds = [a_custom_resource(*each) for each in OTHERS]
        cluster.kubectl("apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(kinds))
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
        yield cluster


@pytest.fixture(scope="module")
def installer(tmp_path_factory: pytest.TempPathFactory, server: EmbeddedCluster) -> Helm:
    return Helm(tmp_path_factory.mktemp("installer"), server.kubeconfig)


def a_custom_resource(group: str, version: str, plural: str, kind: str) -> Manifest:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [served]},
    }


# ---- what is rendered


@pytest.mark.parametrize("file", CI, ids=lambda file: file.stem)
def test_lint_finds_nothing(helm: Helm, file: Path) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), "-f", str(file)).stdout


def test_everything_is_named_once_and_lies_in_its_namespace(renderings: dict[str, list[Manifest]]) -> None:
    for manifests in renderings.values():
        names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in manifests]
        assert len(set(names)) == len(names)
        assert [name for name in names if (name[1] is None) != (name[0] in CLUSTER_SCOPED)] == []


def test_every_kind_comes_up_in_some_rendering(renderings: dict[str, list[Manifest]]) -> None:
    kinds = {each["kind"] for manifests in renderings.values() for each in manifests}
    assert kinds >= CLUSTER_SCOPED | {kind for *_, kind in OTHERS} | {"Role", "NetworkPolicy", "PodDisruptionBudget"}


@pytest.mark.parametrize("option", ["replica=3", "settings.worker=1", "tenants[0].name=team-a"])
def test_a_value_that_is_none_is_refused(helm: Helm, option: str) -> None:
    with pytest.raises(HelmFailed, match="values don't meet the specifications"):
        helm.render("--set", option)


def test_every_wrong_value_is_refused_by_its_path(helm: Helm) -> None:
    """All leaves, as many at once as go together; a text of a form is answered by what to write."""
    wrongs = Walk(json.loads((CHART / "values.schema.json").read_text())).list_all()
    assert len(wrongs) > 250
    for together, values in merge_wrong(wrongs):
        with pytest.raises(HelmFailed) as refused:
            helm.render(values=values)
        said = str(refused.value)
        assert [str(wrong) for wrong in together if f"at '{wrong}'" not in said] == []


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("settings.logLevel=debug", "'/settings/logLevel': value must be one of 'DEBUG', 'INFO'"),
        ("settings.successTtlSeconds=1h", "'/settings/successTtlSeconds': got string, want number"),
        ("settings.allowedNetworks=the cluster", "'/settings/allowedNetworks': value must be 'networks such as 10.96"),
        ("settings.prepareMemory=20GB", "'/settings/prepareMemory': value must be 'memory with its unit, such as 16Gi"),
        ("image.repository=https://registry.example.com/x", "'/image/repository': value must be 'an image without tag"),
        ("commonLabels.te am=x", "'/commonLabels/te am': value must be 'under a key such as example.com/team"),
        (
            "resources.limits.memory=lots",
            "'/resources/limits/memory': value must be 'an amount such as 500m, 2 or 16Gi",
        ),
    ],
)
def test_a_wrong_value_is_answered_by_what_to_write(helm: Helm, option: str, words: str) -> None:
    with pytest.raises(HelmFailed, match=re.escape(words)):
        helm.render("--set", option)


def test_a_setting_among_the_further_variables_is_refused_with_its_place(helm: Helm) -> None:
    with pytest.raises(HelmFailed, match="what begins with TWEETBOT_ is set under `settings`"):
        helm.render(values={"extraEnv": [{"name": "TWEETBOT_WORKERS", "value": "3"}]})


@pytest.mark.parametrize("enabled", [True, False])
def test_a_parent_chart_has_it_as_a_part_and_leaves_it_out(helm: Helm, tmp_path: Path, enabled: bool) -> None:
    """What a parent shares with all its parts reaches this one too, whatever it is."""
    part = {"name": CHART.name, "version": "*", "condition": f"{CHART.name}.enabled"}
    parent = {"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [part]}
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(parent))
    shutil.copytree(CHART, tmp_path / "charts" / CHART.name)
    shared = {"imageRegistry": "registry.example.com", "storageClass": "fast", "cluster": {"region": "eu"}}
    values = yaml.safe_dump({"global": shared, CHART.name: {"enabled": enabled}})
    text = helm("template", "platform", str(tmp_path), "--kube-version", "1.35.0", "-f", "-", input=values).stdout
    images = [container([each])["image"] for each in yaml.safe_load_all(text) if each and each["kind"] == "Deployment"]
    assert [image.partition("/")[0] for image in images] == ["registry.example.com"] * enabled


def test_several_replicas_without_an_election_are_refused_and_one_is_replaced_only_when_it_is_gone(helm: Helm) -> None:
    with pytest.raises(HelmFailed, match=r"settings\.leaseSeconds: 0 turns leader election off"):
        helm.render("--set", "settings.leaseSeconds=0")
    alone = the(helm.render("--set", "settings.leaseSeconds=0,replicas=1"), "Deployment")
    assert alone["spec"]["strategy"] == {"type": "Recreate"}
    unset = the(helm.render("--set", "settings.leaseSeconds=null"), "Deployment")  # the operator's own default holds
    assert unset["spec"]["strategy"]["type"] == "RollingUpdate"


def test_a_name_of_digits_stays_a_text(helm: Helm) -> None:
    """A release and a namespace may be called 2024; as a number the API server would refuse it in a label."""
    values = {"watch": {"namespaces": ["2024", "2026"]}, "namespaceOverride": "2025", "metrics": {"serviceMonitor": ON}}
    tenants = {"tenants": [{"namespace": "2026"}], "networkPolicy": ON}
    manifests = helm.render(values=values | tenants, release="2027")
    assert [leaf for each in manifests for leaf in numbers(each) if 2024 <= leaf <= 2027] == []
    assert {each["metadata"].get("namespace") for each in manifests} >= {"2024", "2025", "2026"}


def numbers(value: Any) -> Iterator[float]:
    """Yield every number in a manifest."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from numbers(each)
    if isinstance(value, int | float):
        yield value


def test_labels_of_a_user_s_own_never_hide_those_that_selectors_go_by(helm: Helm) -> None:
    common = {"team": "a", "app.kubernetes.io/name": "x", "app.kubernetes.io/component": "x"}
    text = yaml.safe_dump({"commonLabels": common, "podLabels": {"team": "b", "app.kubernetes.io/instance": "x"}})
    deployment = helm("template", RELEASE, str(CHART), "-s", "templates/deployment.yaml", "-f", "-", input=text).stdout
    assert deployment.count("team:") == 2  # the Deployment's own and its Pods': no key twice in one map
    spec = yaml.safe_load(deployment)["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert labels.items() >= spec["selector"]["matchLabels"].items() | {("team", "b")}


def test_an_older_cluster_is_refused(helm: Helm) -> None:
    with pytest.raises(HelmFailed, match=r"requires kubeVersion: >=1\.31"):
        helm("template", RELEASE, str(CHART), "--kube-version", "1.30.9")


def container(manifests: list[Manifest]) -> Manifest:
    found: Manifest = the(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return found


def environment(manifests: list[Manifest]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(manifests)["env"] if "value" in each}


def test_every_setting_reaches_the_operator_and_one_at_its_default_need_not(helm: Helm) -> None:
    """As whole numbers also where they have more than six digits, which templates get as floats."""
    another: dict[Any, Callable[[int], object]] = {
        int: lambda number: 2_000_000 + number,
        float: lambda number: number + 0.25,
        str: lambda number: f"changed-{number}",
    }
    of_a_form = {
        "log_level": "DEBUG", "prepare_cpu": "2", "prepare_memory": "3Gi", "work_size": "3Gi",
        "allowed_networks": "10.0.0.0/8", "kueue_version": "v1beta2",
    }  # fmt: skip
    changed = {
        name: of_a_form[name] if name in of_a_form else another[field.annotation](number)
        for number, (name, field) in enumerate(OperatorSettings.model_fields.items())
        if name not in {*ELSEWHERE, "prices"}
    }
    env = environment(helm.render(values={"settings": {to_camel(name): value for name, value in changed.items()}}))
    variables = {f"TWEETBOT_{name.upper()}": str(value) for name, value in changed.items()}
    assert env.items() >= variables.items()
    assert environment(helm.render()).keys() & variables.keys() == set()


def test_amounts_may_be_numbers(helm: Helm) -> None:
    """Helm reads a number of the command line as a float, which it would write as 2.147483648e+09."""
    manifests = helm.render("--set", "settings.prepareMemory=2147483649,settings.prepareCpu=2,settings.workSize=1e10")
    got = load_settings(environment(manifests))
    assert (got.prepare_memory, got.prepare_cpu, got.work_size) == ("2147483649", "2", "10G")


@pytest.mark.parametrize("namespaces", [[], ["team-a", "team-b"]])
def test_prices_reach_the_operator_and_whoever_plans(helm: Helm, namespaces: list[str]) -> None:
    prices = {"currency": "EUR", "gpuHour": {"nvidia.com/gpu": 2.5}, "cpuHour": 0.04}
    manifests = helm.render(values={"settings": {"prices": prices}, "watch": {"namespaces": namespaces}})
    wanted = Prices.model_validate(prices)
    assert load_settings(environment(manifests)).prices == wanted
    tables = [each for each in manifests if each["metadata"]["name"] == PRICES_CONFIG_MAP]
    found = {each["metadata"]["namespace"]: each["data"][PRICES_KEY] for each in tables if each["kind"] == "ConfigMap"}
    assert set(found) == set(namespaces or [PRICES_NAMESPACE])
    assert [Prices.model_validate_json(text) for text in found.values()] == [wanted] * len(found)
    rights = [each["metadata"]["namespace"] for each in tables if each["kind"] != "ConfigMap"]
    assert rights == ([] if namespaces else [PRICES_NAMESPACE] * 2)


def test_what_other_values_set_reaches_the_operator(helm: Helm) -> None:
    values = {
        "watch": {"namespaces": ["team-a", "team-b"]},
        "metrics": {"port": 9090, "tls": {"secretName": "tls", "clientCertificate": True}},
        "trainerImage": {"tag": "2"},
    }
    manifests = helm.render(values=values)
    got = load_settings(environment(manifests))
    set_elsewhere = {name: getattr(got, name) for name in ELSEWHERE if name != "lease_namespace"}
    assert set_elsewhere == {
        "trainer_image": "tweetbot-trainer:2",
        "namespaces": ("team-a", "team-b"),
        "http_port": 9090,
        "tls_folder": "/etc/tweetbot/tls",
        "metrics_client_certificate": True,
        "lease_name": RELEASE,
    }
    (namespace,) = [each for each in container(manifests)["env"] if each["name"] == "TWEETBOT_LEASE_NAMESPACE"]
    assert namespace["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}


def test_where_network_policies_are_on_the_operator_reaches_every_trainer(helm: Helm) -> None:
    values = {"networkPolicy": ON, "tenants": [{"namespace": "team-a"}]}
    policies = {
        each["metadata"]["name"]: each["spec"] for each in helm.render(values=values) if each["kind"] == "NetworkPolicy"
    }
    operators, trainers = policies[RELEASE], policies["tweetbot-trainers"]
    (way_out,) = [rule for rule in operators["egress"] if {"port": PROGRESS_PORT} in rule["ports"]]
    (way_in,) = trainers["ingress"]
    assert way_out["to"] == [{"namespaceSelector": {}, "podSelector": {"matchLabels": {MANAGED_BY_LABEL: MANAGED_BY}}}]
    (selected,) = trainers["podSelector"]["matchExpressions"]
    assert (selected["key"], selected["values"]) == (MANAGED_BY_LABEL, [MANAGED_BY, PLUGIN])
    assert way_in["ports"] == [{"port": PROGRESS_PORT}]
    assert [each["podSelector"] for each in way_in["from"]] == [operators["podSelector"]]


def test_the_notes_have_argo_cds_health_check_and_actions(helm: Helm) -> None:
    text = notes(helm, "--set", "argocd.notes=true")
    data = yaml.safe_load(text[text.index("\ndata:") :])["data"]
    folder = ROOT / "integrations/argocd/resource_customizations/tweetbot.dev/TweetBot"
    health = data["resource.customizations.health.tweetbot.dev_TweetBot"]
    assert health.rstrip() == (folder / "health.lua").read_text().rstrip()
    actions = yaml.safe_load(data["resource.customizations.actions.tweetbot.dev_TweetBot"])
    assert {each["name"] for each in actions["definitions"]} == {"retrain", "suspend", "resume"}
    assert actions["discovery.lua"].rstrip() == (folder / "actions/discovery.lua").read_text().rstrip()


def test_the_notes_name_the_namespace_that_helm_knows_the_release_by(helm: Helm) -> None:
    text = notes(helm, "--set", "namespaceOverride=team-a")
    assert f"helm -n {NAMESPACE} test {RELEASE}" in text
    assert "kubectl -n team-a rollout status" in text


def notes(helm: Helm, *arguments: str) -> str:
    """Return NOTES.txt as it is printed; without a cluster helm shows it on a dry run alone."""
    options = ("--dry-run=client", "--namespace", NAMESPACE, *arguments)
    return helm("install", RELEASE, str(CHART), *options).stdout.partition("NOTES:")[2]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"strategy": {"rollingUpdate": {"maxSurge": 0}}}, r"strategy\.rollingUpdate: .*write at least 1"),
        ({"dnsPolicy": "None"}, r"dnsPolicy: .*write dnsConfig\.nameservers"),
        ({"metrics": {"tls": {"clientCertificate": True}}}, r"clientCertificate: .*write metrics\.tls\.secretName"),
        ({"metrics": {"serviceMonitor": ON, "podMonitor": ON}}, r"metrics\.podMonitor\.enabled: .*enable one of them"),
        (
            {"metrics": {"tls": {"secretName": "tls", "clientCertificate": True}, "serviceMonitor": ON}},
            r"metrics\.serviceMonitor\.tlsConfig: .*write ca, cert and keySecret",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused_with_what_to_write(
    helm: Helm, values: Manifest, sentence: str
) -> None:
    with pytest.raises(HelmFailed, match=sentence):
        helm.render(values=values)


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor"])
def test_a_monitor_finds_the_pods_and_checks_their_certificate(helm: Helm, kind: str) -> None:
    values = {"metrics": {kind[0].lower() + kind[1:]: ON, "tls": {"secretName": "tls"}}}
    manifests = helm.render(values=values)
    spec = the(manifests, kind)["spec"]
    (endpoint,) = spec["endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["scheme"]) == ("metrics", "https")
    assert endpoint["tlsConfig"]["serverName"] == f"{RELEASE}.{NAMESPACE}.svc"
    service, pod = the(manifests, "Service"), the(manifests, "Deployment")["spec"]["template"]
    labels = (service if kind == "ServiceMonitor" else pod)["metadata"]["labels"]
    assert labels.items() >= spec["selector"]["matchLabels"].items()


def test_over_https_operator_probes_and_helm_s_test_agree(renderings: dict[str, list[Manifest]]) -> None:
    for name, metrics in (("everything", "tweetbot_leader"), ("mirror", "metrics need a client certificate")):
        operator = container(renderings[name])
        (folder,) = [each["mountPath"] for each in operator["volumeMounts"] if each["name"] == "metrics-tls"]
        settings = load_settings(environment(renderings[name]))
        assert (settings.tls_folder, settings.metrics_client_certificate) == (folder, name == "mirror")
        probes = {operator[probe]["httpGet"]["scheme"] for probe in ("livenessProbe", "readinessProbe")}
        assert probes == {"HTTPS"}
        if name == "everything":
            *_, url, _, wanted = the(renderings[name], "Pod")["spec"]["containers"][0]["args"]
            assert (url.partition(":")[0], wanted) == ("https", metrics)


def test_dashboard_and_alerts_are_the_ones_of_the_integrations(renderings: dict[str, list[Manifest]]) -> None:
    everything = renderings["everything"]
    dashboard = the(everything, "ConfigMap", "tweetbot-operator-dashboard")["data"]["tweetbot-operator.json"]
    assert json.loads(dashboard) == json.loads((ROOT / "integrations/grafana/dashboard.json").read_text())
    assert the(everything, "PrometheusRule")["spec"] == read_rules(
        f'namespace="{NAMESPACE}", job=~"(.+/)?tweetbot-operator"'
    )


def test_alerts_select_the_installation_as_the_values_say(helm: Helm) -> None:
    matchers = 'cluster="west", job="tweetbot"'
    values = {"metrics": {"prometheusRule": {**ON, "selector": matchers}}}
    assert the(helm.render(values=values), "PrometheusRule")["spec"] == read_rules(matchers)


def read_rules(matchers: str) -> dict[str, Any]:
    """Return the rules of the integrations, for the installation that these matchers select."""
    text = (ROOT / "integrations/prometheus/rules.yaml").read_text(encoding="utf-8").partition("spec:")[2]
    spec: dict[str, Any] = yaml.safe_load("spec:" + text.replace('job=~".+"', matchers))["spec"]
    return spec


@pytest.mark.parametrize("base", ["https://docs.example.com/runbooks", "https://docs.example.com/runbooks/"])
def test_alerts_link_their_runbooks_where_these_are_shown(helm: Helm, base: str) -> None:
    rules = the(helm.render(values={"metrics": {"prometheusRule": {**ON, "runbookBaseURL": base}}}), "PrometheusRule")
    alerts = [rule for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    linked = {alert["alert"]: alert["annotations"]["runbook_url"] for alert in alerts}
    assert linked == {name: f"https://docs.example.com/runbooks/{name}.md" for name in linked}


def test_alerts_of_a_released_chart_link_to_the_site_of_their_version(helm: Helm, tmp_path: Path) -> None:
    released = shutil.copytree(CHART, tmp_path / "chart")
    notes = yaml.safe_load((released / "Chart.yaml").read_text())
    (released / "Chart.yaml").write_text(yaml.safe_dump({**notes, "home": "https://tweetbot.example.org/"}))
    rules = the(helm.render(values={"metrics": {"prometheusRule": ON}}, chart=released), "PrometheusRule")
    alerts = [rule for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    site = f"https://tweetbot.example.org/{notes['appVersion']}/runbooks"
    linked = {alert["alert"]: alert["annotations"]["runbook_url"] for alert in alerts}
    assert linked == {name: f"{site}/{name}.html" for name in linked}


@pytest.mark.parametrize("name", ["tweetbots.tweetbot.dev", "tweetbotclasses.tweetbot.dev"])
def test_the_resources_are_those_of_crds(renderings: dict[str, list[Manifest]], name: str) -> None:
    plain = yaml.safe_load((ROOT / f"crds/{name}.yaml").read_text())
    rendered = the(renderings["default"], "CustomResourceDefinition", name)
    assert rendered["spec"] == plain["spec"]
    assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_scoped_to_namespaces_it_has_no_right_beyond_them(renderings: dict[str, list[Manifest]]) -> None:
    scoped = renderings["some-namespaces"]
    assert [each["kind"] for each in scoped if each["kind"] in CLUSTER_SCOPED] == []
    roles = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in scoped if each["kind"] == "Role"}
    theirs = {(team, RELEASE + suffix) for team in ("team-a", "team-b") for suffix in ("", "-view", "-edit")}
    assert roles == {(NAMESPACE, f"{RELEASE}-lease"), ("team-a", "tweetbot-logs"), *theirs}
    references = [each["roleRef"] for each in scoped if each["kind"] == "RoleBinding"]
    assert {each["kind"] for each in references} == {"Role"}


def test_scoped_to_namespaces_only_the_resource_is_the_clusters_and_may_be_left_out(helm: Helm) -> None:
    manifests = helm.render(values={"watch": {"namespaces": ["team-a"]}})
    assert {each["kind"] for each in manifests if each["kind"] in CLUSTER_SCOPED} == {"CustomResourceDefinition"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"rbac": {"aggregate": True}},
            r"rbac\.aggregate: .* leave it out here, and have the platform install it once",
        ),
        ({"priorityClass": {"create": True}}, r"priorityClass\.create: .* name a PriorityClass of the cluster"),
        *(
            ({"admissionPolicies": {to_camel(name): ON}}, rf"admissionPolicies\.{to_camel(name)}\.enabled: .*once")
            for name, field in AdmissionPolicies.model_fields.items()
            if "enabled" in getattr(field.annotation, "model_fields", {})
        ),
        ({"tenants": [{"namespace": "team-b"}]}, r"tenants\[0\]\.namespace: this operator does not serve team-b"),
        ({"clusterScopedOnly": True}, r"clusterScopedOnly: such a release serves no namespace"),
    ],
)
def test_scoped_to_namespaces_what_asks_for_the_clusters_is_refused_with_its_place(
    helm: Helm, values: Manifest, sentence: str
) -> None:
    with pytest.raises(HelmFailed, match=sentence):
        helm.render(values={"watch": {"namespaces": ["team-a"]}, **values})


def test_a_platform_installs_what_is_the_clusters_and_nothing_else(renderings: dict[str, list[Manifest]]) -> None:
    assert {each["kind"] for each in renderings["platform"]} == CLUSTER_SCOPED
    policy = the(renderings["platform"], "ValidatingAdmissionPolicy", f"{RELEASE}-own-jobs")["spec"]
    (condition,) = policy["matchConditions"]
    assert "^system:serviceaccount:[^:]+:tweetbot-operator$" in condition["expression"]


def test_nobody_may_write_a_class(renderings: dict[str, list[Manifest]]) -> None:
    roles = [each for manifests in renderings.values() for each in manifests if each["kind"] in ("Role", "ClusterRole")]
    rules = [rule for role in roles for rule in role["rules"] if "tweetbotclasses" in rule["resources"]]
    assert rules
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_a_tenants_people_may_read_classes_which_are_the_clusters(helm: Helm) -> None:
    ann, bob = ({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name} for name in ("ann", "bob"))
    tenants = [{"namespace": "team-a", "subjects": [ann]}, {"namespace": "team-b", "subjects": [bob, ann]}]
    binding = the(helm.render(values={"tenants": tenants}), "ClusterRoleBinding", f"{RELEASE}-classes")
    role = the(helm.render(values={"tenants": tenants}), "ClusterRole", binding["roleRef"]["name"])
    assert binding["subjects"] == [ann, bob]
    assert role["rules"] == [
        {"apiGroups": ["tweetbot.dev"], "resources": ["tweetbotclasses"], "verbs": ["get", "list", "watch"]}
    ]


def test_the_right_to_read_workloads_comes_with_the_setting_that_needs_it(helm: Helm) -> None:
    for version, granted in (("v1beta2", True), ("", False)):
        role = the(helm.render(values={"settings": {"kueueVersion": version}}), "ClusterRole", RELEASE)
        assert any(rule["resources"] == ["workloads"] for rule in role["rules"]) == granted


def test_a_tenant_gets_its_defaults_and_what_it_declares(renderings: dict[str, list[Manifest]]) -> None:
    mine = [each for each in renderings["everything"] if each["metadata"].get("namespace") == "team-a"]
    assert {each["kind"] for each in mine} == {
        "ServiceAccount", "Role", "RoleBinding", "ResourceQuota", "NetworkPolicy", "LocalQueue",
    }  # fmt: skip
    account = the(mine, "ServiceAccount")
    assert (account["metadata"]["name"], account["imagePullSecrets"]) == ("tweetbot-trainer", [{"name": "registry"}])
    blocks = [
        to["ipBlock"]
        for rule in the(mine, "NetworkPolicy")["spec"]["egress"]
        for to in rule.get("to", ())
        if "ipBlock" in to
    ]
    assert blocks == [{"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}, {"cidr": "10.1.0.0/16"}]
    other = [each["kind"] for each in renderings["everything"] if each["metadata"].get("namespace") == "team-b"]
    assert other == []


@pytest.mark.parametrize(
    ("served", "version"), [([], "v1beta2"), (["v1beta1"], "v1beta1"), (["v1beta1", "v1beta2"], "v1beta2")]
)
def test_a_queue_has_the_version_that_the_cluster_s_kueue_serves(helm: Helm, served: list[str], version: str) -> None:
    values = {"tenants": [{"namespace": "team-a", "localQueue": {"clusterQueue": "gpus"}}]}
    options = [f"--api-versions=kueue.x-k8s.io/{each}" for each in served]
    assert the(helm.render(*options, values=values), "LocalQueue")["apiVersion"] == f"kueue.x-k8s.io/{version}"


def test_where_few_may_read_the_figures_the_pod_of_helm_test_may(renderings: dict[str, list[Manifest]]) -> None:
    everything = renderings["everything"]
    metrics = the(everything, "NetworkPolicy", RELEASE)["spec"]["ingress"][0]["from"]
    labels = the(everything, "Pod")["metadata"]["labels"]
    let_in = [each["podSelector"]["matchLabels"] for each in metrics if "podSelector" in each]
    assert [wanted.items() <= labels.items() for wanted in let_in] == [True]
    operator = the(everything, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert not let_in[0].items() <= operator.items()


def test_the_script_of_helm_test_is_the_one_that_asks(helm: Helm, renderings: dict[str, list[Manifest]]) -> None:
    script, url, patience, metrics = the(renderings["default"], "Pod")["spec"]["containers"][0]["args"]
    assert (url, patience, metrics) == ("http://tweetbot-operator.tweetbot-system.svc:8080", "60", "tweetbot_leader")
    done = subprocess.run(
        [sys.executable, "-c", script, "http://127.0.0.1:1", "1", metrics], capture_output=True, check=False
    )
    assert (done.returncode, b"Connection refused" in done.stderr) == (1, True)


def test_the_plain_objects_are_what_the_chart_makes_of_its_defaults() -> None:
    assert (ROOT / plain.FILE).read_text() == plain.render_manifests(
        find_or_build(os.environ, to_stderr, [HELM])["helm"]
    )


# ---- what a server makes of it


@pytest.mark.parametrize("folder", ["base", "example"])
def test_without_helm_a_server_takes_it_too(server: EmbeddedCluster, folder: str) -> None:
    """The namespace is there; else nothing in it could be tried."""
    place = ROOT / "kustomize" / folder
    done = server.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-k", str(place)
    )
    assert "deployment.apps/tweetbot-operator serverside-applied" in done.stdout
    if folder == "example":
        (deployment,) = [
            each
            for each in yaml.safe_load_all(server.kubectl("kustomize", str(place)).stdout)
            if each["kind"] == "Deployment"
        ]
        env = environment([deployment])
        assert env["TWEETBOT_TRAINER_IMAGE"].startswith("registry.example.com/")
        assert load_settings(env).max_active_runs_per_namespace == 4


def test_a_server_takes_every_rendering(server: EmbeddedCluster, renderings: dict[str, list[Manifest]]) -> None:
    """Strictly: a field that does not exist is an error."""
    everything = [manifest for manifests in renderings.values() for manifest in manifests]
    options = ("--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    done = server.kubectl("apply", *options, "-f", "-", input=yaml.safe_dump_all(everything))
    assert done.stdout.count("serverside-applied") == len(everything)


def test_pod_security_restricted_has_nothing_to_warn_of(
    server: EmbeddedCluster, renderings: dict[str, list[Manifest]]
) -> None:
    server.kubectl("create", "namespace", "guarded")
    server.kubectl("label", "namespace", "guarded", "pod-security.kubernetes.io/warn=restricted")
    server.kubectl("label", "namespace", "guarded", "pod-security.kubernetes.io/enforce=restricted")
    for deployment in [each for all_ in renderings.values() for each in all_ if each["kind"] == "Deployment"]:
        deployment["metadata"]["namespace"] = "guarded"
        done = server.kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump(deployment))
        assert "violate" not in done.stderr
        deployment["spec"]["template"]["spec"]["securityContext"] = {}
        done = server.kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump(deployment))
        assert "would violate PodSecurity" in done.stderr


def test_an_upgrade_a_rollback_and_an_uninstall_keep_the_tweetbots(server: EmbeddedCluster, installer: Helm) -> None:
    place = ("--namespace", "team-b")
    installer("install", RELEASE, str(CHART), *place)
    bot = a_manifest()
    bot["metadata"] = {"name": "gull", "namespace": "team-b"}
    server.kubectl("wait", "--for=condition=Established", "crd/tweetbots.tweetbot.dev", "--timeout=120s")
    server.kubectl("apply", "-f", "-", input=json.dumps(bot))
    uid = server.kubectl("get", "tweetbot", "gull", *place, "-o", "jsonpath={.metadata.uid}").stdout

    installer("upgrade", RELEASE, str(CHART), *place, "--set", "settings.workers=3,metrics.port=9000")
    assert "TWEETBOT_WORKERS:3" in variables(server)
    installer("rollback", RELEASE, "1", *place)
    assert "TWEETBOT_WORKERS" not in variables(server)
    installer("uninstall", RELEASE, *place)
    assert server.kubectl("get", "deployments,services", *place, "-o", "name").stdout == ""
    assert server.kubectl("get", "tweetbot", "gull", *place, "-o", "jsonpath={.metadata.uid}").stdout == uid
    installer("install", RELEASE, str(CHART), *place)
    assert server.kubectl("get", "tweetbot", "gull", *place, "-o", "jsonpath={.metadata.uid}").stdout == uid
    installer("uninstall", RELEASE, *place)


def variables(server: EmbeddedCluster) -> str:
    path = '{range .spec.template.spec.containers[0].env[*]}{.name}:{.value}{"\\n"}{end}'
    return server.kubectl("get", "deployment", RELEASE, "-n", "team-b", "-o", f"jsonpath={path}").stdout
