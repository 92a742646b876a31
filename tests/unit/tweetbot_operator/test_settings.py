"""Settings from the environment."""

import pytest

from tweetbot_operator.settings import InvalidSettings, OperatorSettings, load_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({}) == OperatorSettings()


def test_every_setting_is_read_by_its_name() -> None:
    env = {
        "TWEETBOT_TRAINER_IMAGE": "trainer@sha256:0",
        "TWEETBOT_NAMESPACES": "team-a, team-b,",
        "TWEETBOT_WORKERS": "3",
        "TWEETBOT_SUCCESS_TTL_SECONDS": "0.5",
    }
    settings = load_settings(env)
    assert settings.trainer_image == "trainer@sha256:0"
    assert settings.namespaces == ("team-a", "team-b")
    assert (settings.workers, settings.success_ttl_seconds) == (3, 0.5)


@pytest.mark.parametrize("value", ["many", "1.5", "-1", "nan"])
def test_a_value_that_is_no_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidSettings, match="TWEETBOT_WORKERS"):
        load_settings({"TWEETBOT_WORKERS": value})


@pytest.mark.parametrize("networks", ["10.0.0.0", "10.0.0.0/8,2001:db8::/32"])
def test_networks_that_specs_may_name_are_taken(networks: str) -> None:
    assert load_settings({"TWEETBOT_ALLOWED_NETWORKS": networks}).allowed_networks == networks


@pytest.mark.parametrize("networks", ["the cluster", "10.1.0.0/8", "10.0.0.0/8 11.0.0.0/8"])
def test_what_is_no_network_is_refused_by_name(networks: str) -> None:
    with pytest.raises(InvalidSettings, match="TWEETBOT_ALLOWED_NETWORKS"):
        load_settings({"TWEETBOT_ALLOWED_NETWORKS": networks})


@pytest.mark.parametrize("name", ["PREPARE_MEMORY", "WORK_SIZE"])
@pytest.mark.parametrize("size", ["20GB", "128m", "20", "-1Gi"])
def test_a_size_in_a_wrong_unit_is_refused_by_name(name: str, size: str) -> None:
    with pytest.raises(InvalidSettings, match=f"TWEETBOT_{name}='{size}': write memory with its unit, such as 16Gi"):
        load_settings({f"TWEETBOT_{name}": size})


@pytest.mark.parametrize("cpu", ["2Gi", "0", "-1", "many"])
def test_a_cpu_that_is_no_number_of_cores_is_refused_by_name(cpu: str) -> None:
    with pytest.raises(InvalidSettings, match=f"TWEETBOT_PREPARE_CPU='{cpu}': write cpu in cores above 0"):
        load_settings({"TWEETBOT_PREPARE_CPU": cpu})


def test_amounts_are_read_in_any_spelling() -> None:
    """Helm writes a large number of its values as 2.147483648e+09."""
    env = {"TWEETBOT_PREPARE_MEMORY": "2.147483648e+09", "TWEETBOT_PREPARE_CPU": "0.5", "TWEETBOT_WORK_SIZE": "1500M"}
    settings = load_settings(env)
    assert (settings.prepare_memory, settings.prepare_cpu, settings.work_size) == ("2Gi", "500m", "1500M")


@pytest.mark.parametrize("level", ["debug", "VERBOSE", "10"])
def test_a_level_that_logs_do_not_know_is_refused_by_name(level: str) -> None:
    assert load_settings({"TWEETBOT_LOG_LEVEL": "DEBUG"}).log_level == "DEBUG"
    with pytest.raises(InvalidSettings, match=f"TWEETBOT_LOG_LEVEL='{level}': Input should be 'DEBUG', 'INFO'"):
        load_settings({"TWEETBOT_LOG_LEVEL": level})


@pytest.mark.parametrize("value", ["inf", "nan", "-0.1"])
def test_a_length_of_time_is_finite_and_not_negative(value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"TWEETBOT_SUCCESS_TTL_SECONDS='{value}'"):
        load_settings({"TWEETBOT_SUCCESS_TTL_SECONDS": value})


@pytest.mark.parametrize("version", ["1beta2", "v1 beta2", "v1beta2\n-"])
def test_a_version_that_is_none_is_refused_by_name(version: str) -> None:
    with pytest.raises(InvalidSettings, match=r"TWEETBOT_KUEUE_VERSION=.*: write a version such as v1beta2"):
        load_settings({"TWEETBOT_KUEUE_VERSION": version})


@pytest.mark.parametrize("name", ["HTTP_HOST", "CA_CONFIG_MAP", "CLUSTER_UID"])
def test_a_name_or_an_address_that_is_none_is_refused_by_what_to_write(name: str) -> None:
    with pytest.raises(InvalidSettings, match=f"TWEETBOT_{name}='no such': write an? (name|address|uid)"):
        load_settings({f"TWEETBOT_{name}": "no such"})


def test_an_operator_without_workers_is_refused() -> None:
    """It would hold the lease, and nothing would ever begin."""
    with pytest.raises(InvalidSettings, match="TWEETBOT_WORKERS='0'"):
        load_settings({"TWEETBOT_WORKERS": "0"})


def test_all_faults_are_named_at_once() -> None:
    env = {"TWEETBOT_WORKERS": "many", "TWEETBOT_WORK_SIZE": "big", "TWEETBOT_LOG_LEVEL": "loud"}
    with pytest.raises(InvalidSettings, match=r"TWEETBOT_WORKERS='many': .*; TWEETBOT_WORK_SIZE='big': .*LOG_LEVEL"):
        load_settings(env)


def test_a_lease_of_no_time_is_no_election() -> None:
    assert load_settings({"TWEETBOT_LEASE_SECONDS": "0"}).lease_seconds == 0
