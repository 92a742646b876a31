"""Settings from the environment."""

import pytest

from tweetbot_operator.settings import InvalidSettings, OperatorSettings, settings_from


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings_from({}) == OperatorSettings()


def test_every_setting_is_read_by_its_name() -> None:
    env = {
        "TWEETBOT_TRAINER_IMAGE": "trainer@sha256:0",
        "TWEETBOT_NAMESPACES": "team-a, team-b,",
        "TWEETBOT_WORKERS": "3",
        "TWEETBOT_RETRY_SECONDS": "0.5",
    }
    settings = settings_from(env)
    assert settings.trainer_image == "trainer@sha256:0"
    assert settings.namespaces == ("team-a", "team-b")
    assert (settings.workers, settings.retry_seconds) == (3, 0.5)


@pytest.mark.parametrize("value", ["many", "1.5", "-1", "nan"])
def test_a_value_that_is_no_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidSettings, match="TWEETBOT_WORKERS"):
        settings_from({"TWEETBOT_WORKERS": value})


def test_infinity_is_no_pause() -> None:
    with pytest.raises(InvalidSettings, match="TWEETBOT_RETRY_SECONDS"):
        settings_from({"TWEETBOT_RETRY_SECONDS": "inf"})


def test_pauses_sum_to_a_day_and_no_more() -> None:
    settings = OperatorSettings()
    last = next(number for number in range(1, 100) if settings.retry_delay(number + 1) is None)
    pauses = [settings.retry_delay(number) for number in range(1, last + 1)]
    assert 82800 < sum(pause.total_seconds() for pause in pauses if pause) <= 86400


@pytest.mark.parametrize(("retry", "renew", "lease"), [("2", "15", "15"), ("6", "10", "15"), ("0", "10", "15")])
def test_times_of_the_lease_that_do_not_fit_are_refused(retry: str, renew: str, lease: str) -> None:
    times = {"RETRY_SECONDS": retry, "RENEW_SECONDS": renew, "SECONDS": lease}
    with pytest.raises(InvalidSettings, match="TWEETBOT_LEASE_RENEW_SECONDS"):
        settings_from({f"TWEETBOT_LEASE_{name}": value for name, value in times.items()})


def test_no_election_needs_no_times() -> None:
    assert settings_from({"TWEETBOT_LEASE_SECONDS": "0"}).lease_seconds == 0
