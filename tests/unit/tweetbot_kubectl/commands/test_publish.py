"""`kubectl tweetbot publish`, on a fake API server whose Pod ends at the first look."""

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_stored_bot, a_trained_api, end_pod, list_pod_writes, run_plugin

HUB = {"repo": "harbour/gull", "visibility": "Private", "tokenSecret": {"name": "hub", "key": "token"}}
OUTPUT = {"s3": {"uri": "s3://team-a/models"}, "huggingFace": HUB}
SENT = "s3://team-a/models/team-a/gull/models/227ba5f2c6c9109f is at https://huggingface.co/harbour/gull"


def test_a_pod_of_the_bots_sends_the_served_version_and_goes() -> None:
    api = a_trained_api(output=OUTPUT)
    done = run_plugin(api, "publish", "gull", sleep=end_pod(api, SENT))
    assert (done.code, done.output.splitlines()[0]) == (0, SENT)
    assert list_pod_writes(api) == ["POST", "DELETE"]
    pod = api.sent[0][2]["spec"]
    assert " ".join(pod["containers"][0]["command"]) == (
        "tweetbot-trainer publish --model s3://team-a/models/team-a/gull/models/227ba5f2c6c9109f/model "
        "--repo harbour/gull --visibility Private"
    )
    (secrets,) = [each["projected"]["sources"] for each in pod["volumes"] if each["name"] == "secrets"]
    assert [source["secret"]["name"] for source in secrets] == ["hub"]


def test_another_version_is_sent_if_it_is_named() -> None:
    api = a_trained_api(output=OUTPUT)
    assert run_plugin(api, "publish", "gull", "--version", "0" * 16, sleep=end_pod(api, SENT)).code == 0
    assert f"models/{'0' * 16}/model" in api.sent[0][2]["spec"]["containers"][0]["command"][3]
    assert run_plugin(api, "publish", "gull", "--version", "latest").code == 2


def test_what_the_trainer_says_of_a_failure_is_told() -> None:
    api = a_trained_api(output=OUTPUT)
    done = run_plugin(api, "publish", "gull", sleep=end_pod(api, "NotAuthorized: there is no token", exitCode=11))
    assert done.code == 1
    assert "there is no token 227ba5f2c6c9109f was not sent: it ended with exit code 11." in done.notes


def test_without_a_repository_a_model_or_the_right_a_sentence_says_so() -> None:
    assert "has no repository: write output.huggingFace" in run_plugin(a_trained_api(), "publish", "gull").notes
    assert "has no model yet" in run_plugin(FakeApi(a_stored_bot()), "publish", "gull").notes
    api = a_trained_api(output=OUTPUT)
    api.forbid("create", "pods")
    done = run_plugin(api, "publish", "gull")
    assert (done.code, "You may not create pods" in done.notes) == (4, True)
