"""The operator's settings as far as a person may see them: by its Deployment, else by a Job that it created."""

from typing import Any

from tweetbot_contract.handover import ALLOWED_NETWORKS_ENV, CA_DIR
from tweetbot_operator.jobs.pod import CONTAINER
from tweetbot_operator.settings import InvalidSettings, OperatorSettings, load_settings

Document = dict[str, Any]
_OPERATOR = "operator"


def read_deployment(deployment: Document) -> OperatorSettings | None:
    """Return the settings that the operator's Deployment gives it, or None if they do not parse."""
    container = _find_container(deployment, _OPERATOR)
    env = {each["name"]: each["value"] for each in container.get("env") or () if each.get("value")}
    try:
        return load_settings(env)
    except InvalidSettings:
        return None


def read_job(job: Document) -> OperatorSettings | None:
    """Return what a Job of the operator shows of its settings, or None if it has no trainer."""
    container = _find_container(job, CONTAINER)
    if not container:
        return None
    pod = job["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value", "") for each in container.get("env") or ()}
    return OperatorSettings(
        trainer_image=container["image"],
        run_as_user=(pod.get("securityContext") or {}).get("runAsUser", 0),
        allowed_networks=env.get(ALLOWED_NETWORKS_ENV, ""),
        ca_config_map=_find_ca(pod, container),
    )


def _find_container(workload: Document, name: str) -> Document:
    containers = workload["spec"]["template"]["spec"]["containers"]
    return next((each for each in containers if each["name"] == name), {})


def _find_ca(pod: Document, container: Document) -> str:
    """Return the ConfigMap with the CAs that the Pod trusts."""
    mounted = next((each["name"] for each in container.get("volumeMounts") or () if each["mountPath"] == CA_DIR), "")
    volume: Document = next((each for each in pod.get("volumes") or () if each["name"] == mounted), {})
    return str((volume.get("configMap") or {}).get("name", ""))
