"""`versions`, `compare` and `open`: what they read of the bucket, and what they say when they may not."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from builders.stages import a_folder, a_local_run, a_version
from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_model, a_stored_bot, a_training_status, run_plugin
from tweetbot_kubectl.store import bot_store
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.store.folder import FolderStore

OLD, NEW = "1" * 16, "2" * 16
CARD = (
    "---\nlicense: other\n---\n# Gull\n\n<script>alert(1)</script>\n\n<details>\n\n![what it wrote](predictions.png)\n"
)
Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two published versions, as objects by their keys below the TweetBot's folder."""
    folder = tmp_path_factory.mktemp("versions")
    for number, version in enumerate((OLD, NEW), 1):
        run = a_local_run(folder, run_id=f"{number:016x}", run_number=number)
        files = a_folder(folder / version, b"weights")
        (files / "model" / "README.md").write_text(CARD)
        (files / "model" / "predictions.png").write_bytes(b"a picture")
        published_at = f"2026-11-{number:02}T06:00:00.000Z"
        changes: dict[str, Any] = {"training_key": version + "0" * 48, "published_at": published_at}
        publish(FolderStore(), run, files, a_version(files, run, version, **changes))
    home = Path(a_local_run(folder).prefix.removeprefix("file://"))
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def bucket(versions: dict[str, bytes]) -> Iterator[None]:
    """A bucket with the versions of a TweetBot."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        import boto3

        patch.setenv("AWS_REGION", "us-east-1")
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="team-a")
        for name, body in versions.items():
            client.put_object(Bucket="team-a", Key=f"models/team-a/gull/{name}", Body=body)
        yield


@pytest.fixture
def api(bucket: None) -> FakeApi:
    """A cluster with one TweetBot, whose Secret opens the bucket."""
    keys = {name: base64.b64encode(b"key").decode() for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    secret = {"kind": "Secret", "metadata": {"name": "s3", "namespace": "team-a"}, "data": keys}
    return FakeApi(a_stored_bot(status=a_training_status(model=a_model(NEW))), secret)


def test_versions_are_listed_as_the_trainer_lists_them(api: FakeApi, capsys: Output) -> None:
    assert run_plugin(api, "versions", "gull").code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["version", NEW, OLD]
    assert [line.split()[-1] for line in lines] == ["state", "served", "kept"]


def test_versions_as_a_document_are_those_of_the_trainer(api: FakeApi, capsys: Output) -> None:
    run_plugin(api, "versions", "gull", "-o", "json")
    document = json.loads(capsys.readouterr().out)
    assert [each["version"] for each in document["versions"]] == [NEW, OLD]


@pytest.mark.parametrize("names", [(), (OLD,), (OLD, NEW)])
def test_compare_sets_the_served_version_beside_the_one_before(
    api: FakeApi, capsys: Output, names: tuple[str, ...]
) -> None:
    assert run_plugin(api, "compare", "gull", *names).code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"A  {OLD}")
    assert lines[2].startswith(f"B  {NEW}")


def test_an_unknown_version_is_not_found(api: FakeApi) -> None:
    done = run_plugin(api, "compare", "gull", "3" * 16, NEW)
    assert (done.code, "there is no version 3333333333333333" in done.notes) == (3, True)


def test_a_card_and_its_pictures_open_by_links(api: FakeApi) -> None:
    document = json.loads(run_plugin(api, "open", "gull", "-o", "json").output)
    assert [link["file"] for link in document["links"]] == ["README.md", "predictions.png"]
    assert all("Signature" in link["url"] for link in document["links"])


def test_a_card_is_shown_in_the_browser_without_its_html(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    page = Path(run_plugin(api, "open", "gull", "--view").output.strip())
    assert opened == [page.as_uri()]
    text = page.read_text()
    assert '<h1 id="gull">Gull</h1>' in text
    assert "<details>" in text
    assert "license: other" not in text
    assert "<script>" not in text
    assert (page.parent / "predictions.png").read_bytes() == b"a picture"


def test_without_a_model_nothing_opens() -> None:
    assert run_plugin(FakeApi(a_stored_bot()), "open", "gull").code == 3


@pytest.mark.parametrize("command", ["versions", "compare", "open"])
def test_a_secret_that_the_caller_may_not_read_is_named_with_what_to_ask_for(api: FakeApi, command: str) -> None:
    api.forbid("get", "secrets")
    done = run_plugin(api, command, "gull")
    assert done.code == 4
    assert "You may not get secrets in namespace team-a." in done.notes
    assert 'Ask for a Role that lets you get the Secret "s3"' in done.notes


def test_a_bot_whose_class_has_not_given_it_a_bucket_says_so() -> None:
    bot = a_stored_bot(className="standard")
    del bot["spec"]["output"]
    done = run_plugin(FakeApi(bot), "versions", "gull")
    assert (done.code, "its class has not given it a bucket yet" in done.notes) == (1, True)


def test_a_secret_that_is_missing_is_named() -> None:
    done = run_plugin(FakeApi(a_stored_bot()), "versions", "gull")
    assert (done.code, "There is no Secret s3 in namespace team-a" in done.notes) == (3, True)


def test_an_endpoint_of_the_cluster_is_told_apart_from_a_fault(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot_store, "RETRY_SECONDS", 0.0)
    done = run_plugin(api, "versions", "gull", "--endpoint", "http://127.0.0.1:9")
    assert done.code == 5
    assert "only the cluster reaches it, give --endpoint" in done.notes
