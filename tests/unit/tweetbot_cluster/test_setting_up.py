"""A container's volumes and variables, from objects that may be missing."""

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from tweetbot_cluster.node.api import Refused
from tweetbot_cluster.node.pod.container_start import Surroundings, launch_of
from tweetbot_cluster.node.pod.environment import ConfigError, environment
from tweetbot_cluster.node.pod.folder import PodFolder
from tweetbot_cluster.node.pod.volumes import MountFailed, set_up_volume

Document = dict[str, Any]
POD: Document = {
    "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "gull", "b": "2"}},
    "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "busybox"}]},
}


class FakeObjects:
    """An API server of objects by path; tokens name who asked."""

    def __init__(self, **objects: Document) -> None:
        self.objects = {f"/api/v1/namespaces/ns/{path.replace('__', '/')}": found for path, found in objects.items()}

    async def get(self, path: str) -> Document:
        if path not in self.objects:
            raise Refused(404, "not found")
        return self.objects[path]

    async def create(self, path: str, document: Document) -> Document:
        bound, audiences = document["spec"]["boundObjectRef"], document["spec"].get("audiences", ["api"])
        return {"status": {"token": f"{path.split('/')[-2]}/{bound['uid']}/{audiences[0]}"}}


def a_secret(**data: str) -> Document:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


async def files_of(folder: Path, volume: Document, *, api: FakeObjects | None = None) -> dict[str, str]:
    await set_up_volume(api or FakeObjects(), POD, {"name": "v", **volume}, folder / "v")
    return {str(file.relative_to(folder / "v")): file.read_text() for file in folder.rglob("*") if file.is_file()}


async def test_a_secret_becomes_a_file_a_key(tmp_path: Path) -> None:
    api = FakeObjects(secrets__s3=a_secret(user="gull", word="x"))
    files = await files_of(tmp_path, {"secret": {"secretName": "s3", "defaultMode": 0o400}}, api=api)
    assert files == {"user": "gull", "word": "x"}
    assert stat.S_IMODE((tmp_path / "v" / "user").stat().st_mode) == 0o400


async def test_chosen_keys_get_the_paths_that_items_name(tmp_path: Path) -> None:
    source = {"secretName": "s3", "items": [{"key": "word", "path": "a/token", "mode": 0o440}]}
    files = await files_of(tmp_path, {"secret": source}, api=FakeObjects(secrets__s3=a_secret(user="u", word="x")))
    assert files == {"a/token": "x"}
    assert stat.S_IMODE((tmp_path / "v" / "a" / "token").stat().st_mode) == 0o440


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"secret": {"secretName": "no"}}, 'secret "no" not found'),
        ({"configMap": {"name": "no"}}, 'configmap "no" not found'),
        (
            {"secret": {"secretName": "s3", "items": [{"key": "k", "path": "p"}]}},
            "references non-existent secret key: k",
        ),
        (
            {"configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}},
            "configmap references non-existent config key: k",
        ),
        ({"projected": {"sources": [{"secret": {"name": "no"}}]}}, 'secret "no" not found'),
        ({"hostPath": {"path": "/"}}, "the process node knows no volume of kind hostPath"),
    ],
)
async def test_what_is_missing_is_told_in_the_kubelets_words(tmp_path: Path, volume: Document, message: str) -> None:
    api = FakeObjects(secrets__s3=a_secret(), configmaps__c={"data": {}})
    with pytest.raises(MountFailed) as failure:
        await files_of(tmp_path, volume, api=api)
    assert str(failure.value) == f'MountVolume.SetUp failed for volume "v" : {message}'


@pytest.mark.parametrize(
    "volume",
    [
        {"secret": {"secretName": "no", "optional": True}},
        {"configMap": {"name": "no", "optional": True}},
        {"secret": {"secretName": "s3", "optional": True, "items": [{"key": "k", "path": "p"}]}},
        {"emptyDir": {}},
    ],
)
async def test_what_may_be_missing_leaves_an_empty_folder(tmp_path: Path, volume: Document) -> None:
    assert await files_of(tmp_path, volume, api=FakeObjects(secrets__s3=a_secret())) == {}
    assert (tmp_path / "v").is_dir()


async def test_a_projected_volume_gathers_token_labels_and_configuration(tmp_path: Path) -> None:
    labels = {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}
    sources = [
        {"serviceAccountToken": {"path": "token", "audience": "me"}},
        {"downwardAPI": labels},
        {"configMap": {"name": "c"}},
    ]
    api = FakeObjects(configmaps__c={"data": {"a": "1"}, "binaryData": {"b": base64.b64encode(b"2").decode()}})
    files = await files_of(tmp_path, {"projected": {"sources": sources}}, api=api)
    assert files == {"token": "default/u/me", "labels": 'app="gull"\nb="2"', "a": "1", "b": "2"}


async def variables(*env: Document, env_from: tuple[Document, ...] = (), **objects: Document) -> dict[str, str]:
    return await environment(FakeObjects(**objects), POD, {"env": env, "envFrom": env_from}, {"PATH": "/bin"})


def from_secret(name: str, key: str, *, optional: bool = False) -> Document:
    return {"name": "V", "valueFrom": {"secretKeyRef": {"name": name, "key": key, "optional": optional}}}


async def test_variables_come_from_everywhere_and_refer_to_earlier_ones() -> None:
    found = await variables(
        from_secret("s3", "user"),
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "BOTH", "value": "$(V) and $(POD) and $(LATER)"},
        {"name": "LATER", "value": "x"},
        env_from=({"prefix": "C_", "configMapRef": {"name": "c"}},),
        secrets__s3=a_secret(user="u"),
        configmaps__c={"data": {"a": "1"}},
    )
    assert found == {
        "PATH": "/bin", "C_a": "1", "V": "u", "POD": "gull", "BOTH": "u and gull and $(LATER)", "LATER": "x",
    }  # fmt: skip


async def test_an_optional_key_that_is_missing_sets_nothing() -> None:
    assert await variables(from_secret("no", "user", optional=True)) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (from_secret("no", "user"), 'secret "no" not found'),
        (from_secret("s3", "no"), "couldn't find key no in Secret ns/s3"),
        (
            {"name": "V", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            "the process node does not know env from resourceFieldRef",
        ),
        (
            {"name": "V", "valueFrom": {"fieldRef": {"fieldPath": "status.qosClass"}}},
            "the process node does not know the field status.qosClass",
        ),
    ],
)
async def test_a_variable_that_cannot_be_had_holds_up_the_container(entry: Document, message: str) -> None:
    with pytest.raises(ConfigError) as failure:
        await variables(entry, secrets__s3=a_secret())
    assert str(failure.value) == message


async def test_a_launch_names_the_hosts_paths(tmp_path: Path) -> None:
    container: Document = {
        "name": "main",
        "image": "busybox",
        "command": ["run", "$(OUT)/x", "--log=/dev/termination-log"],
        "env": [{"name": "OUT", "value": "/work/out"}],
        "volumeMounts": [{"name": "work", "mountPath": "/work/", "subPath": "sub"}],
    }
    folder = PodFolder(tmp_path / "pod", tmp_path / "logs", POD)
    surroundings = Surroundings({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, {})
    launch = await launch_of(FakeObjects(), POD, container, folder, surroundings)
    work, message = tmp_path / "pod/volumes/work/sub", tmp_path / "pod/containers/main/termination-log"
    assert launch.command == ("run", f"{work}/out/x", f"--log={message}")
    assert (launch.env["OUT"], launch.env["AWS_ENDPOINT_URL_S3"]) == (f"{work}/out", "http://127.0.0.1:1")


async def test_an_endpoint_that_the_container_sets_is_kept(tmp_path: Path) -> None:
    env = [{"name": "AWS_ENDPOINT_URL_S3", "value": "http://elsewhere"}]
    container = {"name": "main", "image": "busybox", "command": ["true"], "env": env}
    folder = PodFolder(tmp_path / "pod", tmp_path / "logs", POD)
    surroundings = Surroundings({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, {})
    launch = await launch_of(FakeObjects(), POD, container, folder, surroundings)
    assert launch.env["AWS_ENDPOINT_URL_S3"] == "http://elsewhere"
