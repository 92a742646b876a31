"""`kubectl tweetbot retrain`, `suspend`, `resume`, `pin`, `unpin`."""

import json

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_model, a_run, a_stored_bot, a_training_status, run_plugin

GULL = "/apis/tweetbot.dev/v1alpha1/namespaces/team-a/tweetbots/gull"
NOON = "2026-01-01T12:00:00Z"


def a_managed_bot(manager: str) -> dict[str, object]:
    bot = a_stored_bot()
    bot["metadata"]["managedFields"] = [{"manager": manager, "fieldsV1": {"f:spec": {"f:suspend": {}}}}]
    return bot


def test_retrain_sends_one_patch_and_says_what_follows() -> None:
    api = FakeApi(a_stored_bot(status=a_training_status()))
    done = run_plugin(api, "retrain", "gull")
    assert done.code == 0
    assert api.sent == [("PATCH", GULL, {"metadata": {"annotations": {"tweetbot.dev/retrain-at": NOON}}})]
    assert "Run 3, which is in its Train stage, is Superseded; run 4 begins when its Pods are gone." in done.output


def test_retrain_waits_for_the_run_that_it_asked_for() -> None:
    api = FakeApi(a_stored_bot(status=a_training_status()))

    def end(outcome: str) -> None:
        run = a_run(number=4, outcome=outcome, reason="TooFewPosts", message="Add posts.")
        api.add(a_stored_bot(status=a_training_status(currentRun=run, lastHandledRetrainAt=NOON)))

    done = run_plugin(api, "retrain", "gull", "--wait", sleep=lambda seconds: end("Failed"))
    assert (done.code, done.notes.splitlines()[-1]) == (1, "Run 4 ended: Failed, TooFewPosts. Add posts.")
    api.add(a_stored_bot(status=a_training_status()))
    assert run_plugin(api, "retrain", "gull", "--wait", sleep=lambda seconds: end("Succeeded")).code == 0


def test_suspend_resume_pin_and_unpin_change_one_field_each() -> None:
    api = FakeApi(a_stored_bot(status={"model": a_model()}))
    version = "9108a32a5b6d4c1f"
    for words in (("suspend", "gull"), ("resume", "gull"), ("pin", "gull", version), ("unpin", "gull")):
        assert run_plugin(api, *words).code == 0
    assert [body["spec"] for _, _, body in api.sent] == [
        {"suspend": True},
        {"suspend": False},
        {"pin": version},
        {"pin": None},
    ]


def test_what_is_as_asked_already_is_not_sent_again() -> None:
    api = FakeApi(a_stored_bot())
    done = run_plugin(api, "resume", "gull", "-o", "json")
    assert (done.code, api.sent) == (0, [])
    document = json.loads(done.output)
    assert (document["changed"], document["done"]) == (False, "gull is not suspended.")


def test_a_field_that_argo_cd_manages_is_changed_with_a_warning() -> None:
    api = FakeApi(a_managed_bot("argocd-controller"))
    done = run_plugin(api, "suspend", "gull")
    assert (done.code, len(api.sent)) == (0, 1)
    assert "Argo CD manages suspend" in done.output
    assert "commit: spec.suspend: true" in done.output
    assert "Warning" not in run_plugin(FakeApi(a_managed_bot("kubectl-edit")), "suspend", "gull").output


def test_a_version_of_another_form_is_a_wrong_command_line() -> None:
    done = run_plugin(FakeApi(a_stored_bot()), "pin", "gull", "newest")
    assert (done.code, "write 16 hex digits" in done.notes) == (2, True)


def test_who_may_not_patch_is_told_who_grants_it() -> None:
    api = FakeApi(a_stored_bot())
    api.forbid("patch", "tweetbots")
    done = run_plugin(api, "suspend", "gull")
    assert (done.code, "You may not patch tweetbots in namespace team-a" in done.notes) == (4, True)


def test_a_tweetbot_that_is_not_there_is_not_found() -> None:
    assert run_plugin(FakeApi(a_stored_bot()), "suspend", "heron").code == 3


def test_a_spec_that_no_longer_parses_is_told() -> None:
    done = run_plugin(FakeApi(a_stored_bot(sources=[])), "suspend", "gull")
    assert (done.code, "invalid spec: spec.sources" in done.notes) == (1, True)
