"""Where programs are looked up, and how they are built."""

import os
from pathlib import Path

import pytest

from tweetbot_cluster.binaries import (
    HELM,
    KUEUE,
    NODE,
    OLDER,
    TOOLS,
    BuildFailed,
    Tool,
    cache_folder,
    find,
    find_or_build,
    kubernetes_version,
    link_flags,
)

ETCD = next(tool for tool in TOOLS if tool.name == "etcd")


def older_tools() -> list[Tool]:
    return [tool for tools in OLDER.values() for tool in tools]


def a_program(folder: Path, name: str, script: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n" + script)
    file.chmod(0o755)
    return file


def an_environment(root: Path) -> dict[str, str]:
    return {
        "KUBEBUILDER_ASSETS": str(root / "assets"),
        "PATH": str(root / "path"),
        "XDG_CACHE_HOME": str(root / "cache"),
    }


def test_assets_come_before_path_and_path_before_the_cache(tmp_path: Path) -> None:
    env = an_environment(tmp_path)
    cached = a_program(cache_folder(env, ETCD), "etcd")
    assert find(ETCD, env) == cached
    on_path = a_program(tmp_path / "path", "etcd")
    assert find(ETCD, env) == on_path
    asset = a_program(tmp_path / "assets", "etcd")
    assert find(ETCD, env) == asset


def test_what_setup_envtest_has_downloaded_counts_if_it_fits_the_other_servers(tmp_path: Path) -> None:
    env = {**an_environment(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    downloads = tmp_path / "data" / "kubebuilder-envtest" / "k8s"
    minor = kubernetes_version().lstrip("v").rpartition(".")[0]
    a_program(downloads / "1.30.0-linux-amd64", "etcd")
    assert find(ETCD, env) is None
    fitting = a_program(downloads / f"{minor}.0-linux-amd64", "etcd")
    lines: list[str] = []
    assert find_or_build(env, lines.append, (ETCD,)) == {"etcd": fitting}
    assert lines == [f"etcd found in {fitting.parent}: 1 of 1 programs need no build"]


def test_an_older_control_plane_is_named_by_its_minor_version() -> None:
    assert {
        minor: {kubernetes_version(tool.module)[: len(minor) + 1] for tool in tools} for minor, tools in OLDER.items()
    } == {minor: {f"v{minor}"} for minor in OLDER}


def test_a_file_that_cannot_be_run_is_no_program(tmp_path: Path) -> None:
    a_program(tmp_path / "path", "etcd").chmod(0o644)
    assert find(ETCD, an_environment(tmp_path)) is None


def test_without_go_the_message_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="install Go"):
        find_or_build(an_environment(tmp_path), lambda line: None, [ETCD])


def test_what_is_missing_is_built_once_with_a_line_of_progress(tmp_path: Path) -> None:
    env = an_environment(tmp_path) | {"PATH": f"{tmp_path / 'path'}:{os.environ['PATH']}"}
    tool = Tool("a-server", "etcd", "example.org/a-server")
    a_program(tmp_path / "path", "go", 'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\\n" > $2; chmod +x $2')
    lines: list[str] = []
    built = find_or_build(env, lines.append, [tool])
    assert built == {"a-server": cache_folder(env, tool) / "a-server"}
    assert any("a-server: built in" in line for line in lines)
    lines.clear()
    assert (find_or_build(env, lines.append, [tool]), lines) == (built, [])


def test_a_failing_compiler_leaves_no_program_and_is_quoted(tmp_path: Path) -> None:
    env = an_environment(tmp_path) | {"PATH": f"{tmp_path / 'path'}:{os.environ['PATH']}"}
    tool = Tool("a-server", "etcd", "example.org/a-server")
    a_program(tmp_path / "path", "go", "echo no such package >&2; exit 1")
    with pytest.raises(BuildFailed, match="no such package"):
        find_or_build(env, lambda line: None, [tool])
    assert find(tool, env) is None


def test_the_servers_announce_the_version_that_the_module_pins() -> None:
    for apiserver in (tool for tool in (*TOOLS, *older_tools()) if tool.name == "kube-apiserver"):
        assert f"gitVersion={kubernetes_version(apiserver.module)} " in link_flags(apiserver) + " "
    assert kubernetes_version("kubernetes-1.34").startswith("v1.34.")
    assert kubernetes_version("kubernetes-node") == kubernetes_version()


def test_another_modules_versions_leave_a_folder_as_it_is() -> None:
    folders = {tool.module: cache_folder({}, tool) for tool in (*TOOLS, *older_tools(), *NODE, HELM, KUEUE)}
    assert len(set(folders.values())) == len(folders)
    assert all(folder.name.startswith(f"{module}-") for module, folder in folders.items())


def test_programs_without_kubernetes_carry_no_version_of_it() -> None:
    assert link_flags(ETCD) == "-s -w"
