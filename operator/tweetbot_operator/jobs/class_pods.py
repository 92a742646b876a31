"""Add to a Job what the run's TweetBotClass gives to Pods. What the operator sets itself stays as it is."""

from functools import lru_cache

from tweetbot_contract.handover import CA_BUNDLE_ENV, CA_FILE, CLASS_CA_DIR
from tweetbot_contract.identity import dump_canonical
from tweetbot_contract.platform_class.pods import ClassPods, VariableSource
from tweetbot_operator.types.objects import Manifest

_CA_VOLUME = "class-ca"


def add_class_pods(job: Manifest, given: Manifest) -> Manifest:
    """Return the Job with what a class gives to Pods, which is written as in the class's manifest."""
    pods, template = _parse(dump_canonical(given)), job["spec"]["template"]
    described = _add_labels(template["metadata"], pods)
    described["annotations"] = {**pods.annotations, **described["annotations"]}
    changed = {**template, "metadata": described, "spec": _add_to_pod(template["spec"], pods)}
    return {**job, "metadata": _add_labels(job["metadata"], pods), "spec": {**job["spec"], "template": changed}}


@lru_cache(maxsize=64)  # few classes have many Pods
def _parse(text: str) -> ClassPods:
    return ClassPods.model_validate_json(text, extra="ignore")


def _add_labels(metadata: Manifest, pods: ClassPods) -> Manifest:
    return {**metadata, "labels": {**pods.labels, **metadata["labels"]}}


def _add_to_pod(pod: Manifest, pods: ClassPods) -> Manifest:
    container = _add_to_container(pod["containers"][0], pods)
    changed = {**pod, "containers": [container, *pod["containers"][1:]]}
    changed["securityContext"] = {**pod["securityContext"], **pods.security_context.to_dict()}
    if pods.image_pull_secrets:
        changed["imagePullSecrets"] = [secret.to_dict() for secret in pods.image_pull_secrets]
    if pods.tolerations:
        changed["tolerations"] = [*pod.get("tolerations", ()), *(each.to_dict() for each in pods.tolerations)]
    if ca := pods.ca_bundle:
        source = {"configMap": {"name": ca.name, "items": [{"key": ca.key, "path": CA_FILE}]}}
        changed["volumes"] = [*pod["volumes"], {"name": _CA_VOLUME, **source}]
    return changed


def _add_to_container(container: Manifest, pods: ClassPods) -> Manifest:
    changed = {**container, "imagePullPolicy": pods.image_pull_policy}
    own = {each["name"]: each for each in container["env"]}
    if pods.ca_bundle:
        own[CA_BUNDLE_ENV] = _add_ca(own.get(CA_BUNDLE_ENV))
        mount = {"name": _CA_VOLUME, "mountPath": CLASS_CA_DIR, "readOnly": True}
        changed["volumeMounts"] = [*container["volumeMounts"], mount]
    given = {name: {"name": name, "value": value} for name, value in _list_variables(pods).items()}
    changed["env"] = list({**own, **{name: each for name, each in given.items() if name not in own}}.values())
    if pods.env_from:
        changed["envFrom"] = [_build_source(each) for each in pods.env_from]
    return changed


def _add_ca(variable: Manifest | None) -> Manifest:
    """Return the variable that names the files of CAs, with the class's after the TweetBot's."""
    files = [variable["value"]] if variable else []
    return {"name": CA_BUNDLE_ENV, "value": ":".join([*files, f"{CLASS_CA_DIR}/{CA_FILE}"])}


def _list_variables(pods: ClassPods) -> dict[str, str]:
    """Return the variables that a class gives. Clients disagree on the case of a proxy's, so each comes in both."""
    named = {variable.name: variable.value for variable in pods.env}
    if pods.hub_endpoint:
        named.setdefault("HF_ENDPOINT", pods.hub_endpoint)
    if proxy := pods.proxy:
        values = {"HTTP_PROXY": proxy.http, "HTTPS_PROXY": proxy.https, "NO_PROXY": ",".join(proxy.bypass)}
        for name, value in ((name, value) for name, value in values.items() if value):
            named.setdefault(name, value)
            named.setdefault(name.lower(), value)
    return named


def _build_source(source: VariableSource) -> Manifest:
    kind, name = ("secretRef", source.secret_name) if source.secret_name else ("configMapRef", source.config_map_name)
    return {kind: {"name": name, **({"optional": True} if source.optional else {})}}
