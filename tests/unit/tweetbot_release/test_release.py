"""The parts of `make release` that need no build; tests/release makes whole releases."""

import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from builders.release.oci_archive import BILL, write_archive
from tweetbot_release.archives import pack
from tweetbot_release.chart import Places, choose_places, stamp_metadata, stamp_values
from tweetbot_release.images import NAMES, collect_images
from tweetbot_release.materials import describe_image
from tweetbot_release.packages import EXTRAS
from tweetbot_release.provenance import SUMS, write_provenance
from tweetbot_release.signing import choose_options, sign
from tweetbot_release.source import ReleaseFailed, Source, check_version, cut_notes, export_source, hash_file

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "tweetbot-operator"
COMMIT = "c0ffee" * 6 + "abcd"
WORKFLOW = {
    "GITHUB_SERVER_URL": "https://host",
    "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/release.yaml@refs/tags/v1",
}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "tree" / "requirements").mkdir(parents=True)
    return Source(tmp_path / "tree", "1.2.3", COMMIT, 1_700_000_000)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "dist").mkdir()
    return tmp_path / "dist"


def write_archives(folder: Path, version: str = "1.2.3", revision: str = COMMIT) -> list[str]:
    """Write both images' archives; return the digests of their manifests."""
    folder.mkdir()
    return [list(write_archive(folder / f"{name}-1.2.3.oci.tar", version, revision))[-1] for name in NAMES]


# ---- the commit


def test_only_what_is_committed_is_released(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    git = ["git", "-C", str(repository), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one", "--date=2026-01-01T00:00:00Z"]):
        subprocess.run([*git, *command], check=True)
    (repository / "pyproject.toml").write_text("changed since")
    (repository / "new").touch()
    source = export_source(repository, tmp_path / "tree")
    assert sorted(path.name for path in source.folder.iterdir()) == ["pyproject.toml"]
    assert source.version == "1.2.3"
    with pytest.raises(ReleaseFailed, match=r"VERSION=2\.0\.0, but pyproject\.toml at \w+ has 1\.2\.3"):
        check_version(source, "2.0.0")


def test_the_notes_are_the_versions_section_of_the_changelog() -> None:
    text = "## Unreleased\n\n- later\n\n## 1.2.3 (2026-12-01)\n\n- now\n\n## 1.2.2 (2026-01-01)\n\n- before\n"
    assert cut_notes(text, "1.2.3") == "- now\n"
    for version in ("1.2.4", "1.2", "Unreleased"):
        with pytest.raises(ReleaseFailed, match=f"no section `## {version}"):
            cut_notes(text, version)


def test_the_changelog_has_a_short_dated_section_for_the_version_of_the_project() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    notes = cut_notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version[1])
    assert len(notes.splitlines()) <= 40


def test_every_extra_installs_from_files_with_hashes() -> None:
    for name in {name for names in EXTRAS.values() for name in names}:
        pins = re.findall(
            r"^[a-z0-9._-]+==.*(?:\n    .*)*", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE
        )
        assert pins
        assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


# ---- archives, chart


def test_an_archive_depends_on_nothing_but_its_content_and_the_commits_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pack({"a/b": b"c"}, tmp_path / name, 1_700_000_000)
    assert hash_file(tmp_path / "one") == hash_file(tmp_path / "two")
    with tarfile.open(tmp_path / "one") as tar:
        (member,) = tar.getmembers()
    assert (member.name, member.mtime, member.mode, member.uid, member.uname) == ("a/b", 1_700_000_000, 0o644, 0, "")


def test_a_released_chart_names_both_images_by_digest(source: Source, dist: Path, tmp_path: Path) -> None:
    digests = write_archives(tmp_path / "images")
    images = collect_images(source, str(tmp_path / "images"), dist)
    values = yaml.safe_load(stamp_values((CHART / "values.yaml").read_text(), images, "ghcr.io/o/r"))
    assert [values["image"]["digest"], values["trainerImage"]["digest"]] == digests
    assert values["global"] == {"imageRegistry": "ghcr.io/o/r"}
    places = Places("ghcr.io/o/r", "https://o.github.io/r")
    chart = yaml.safe_load(stamp_metadata((CHART / "Chart.yaml").read_text(), "1.2.3", images, places))
    assert (chart["version"], chart["appVersion"], chart["home"]) == ("1.2.3", "1.2.3", "https://o.github.io/r")
    listed = {each["image"] for each in yaml.safe_load(chart["annotations"]["artifacthub.io/images"])}
    assert listed == {f"ghcr.io/o/r/{name}:1.2.3@{digest}" for name, digest in zip(NAMES, digests, strict=True)}


def test_without_images_the_chart_keeps_its_tags() -> None:
    text = (CHART / "values.yaml").read_text()
    assert stamp_values(text, [], "") == text


def test_a_chart_in_which_a_value_has_moved_is_not_released() -> None:
    with pytest.raises(ReleaseFailed, match="0 lines of the form"):
        stamp_values("global: {}\n", [], "registry.example.com")


def test_a_host_says_where_a_release_will_be_found_unless_somebody_else_does() -> None:
    host = {"GITHUB_REPOSITORY": "Owner/Repo"}
    assert choose_places(host) == Places("ghcr.io/owner/repo", "https://owner.github.io/repo")
    assert choose_places({**host, "REGISTRY": "r.example.com"}).registry == "r.example.com"
    assert choose_places({}) == Places()


# ---- images


def test_an_image_of_another_version_or_commit_is_not_released(source: Source, dist: Path, tmp_path: Path) -> None:
    for folder, version, revision in (("old", "1.2.2", COMMIT), ("other", "1.2.3", "0" * 40)):
        write_archives(tmp_path / folder, version, revision)
        with pytest.raises(ReleaseFailed, match="is labelled"):
            collect_images(source, str(tmp_path / folder), dist)
    with pytest.raises(ReleaseFailed, match=r"there is no .*/none/tweetbot-operator-1\.2\.3\.oci\.tar"):
        collect_images(source, str(tmp_path / "none"), dist)


def test_an_images_bill_has_what_its_build_listed_and_debians_packages(
    source: Source, dist: Path, tmp_path: Path
) -> None:
    digest, _ = write_archives(tmp_path / "images")
    image, _ = collect_images(source, str(tmp_path / "images"), dist)
    describe_image(image, source)
    bill = json.loads((dist / "tweetbot-operator-1.2.3.cdx.json").read_text())
    assert bill["metadata"]["component"]["purl"] == f"pkg:oci/tweetbot-operator@{digest.replace(':', '%3A')}"
    assert [each["name"] for each in bill["components"]] == ["pydantic", "libc6"]
    assert bill["components"][1]["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64"
    assert bill["specVersion"] == BILL["specVersion"]


# ---- provenance, sums, signature


def test_the_statement_names_every_file_and_image_and_the_sums_name_the_statement_too(
    source: Source, dist: Path, tmp_path: Path
) -> None:
    (source.folder / "requirements" / "operator.txt").write_text("a==1\n")
    digests = write_archives(tmp_path / "images")
    images = collect_images(source, str(tmp_path / "images"), dist)
    sums = write_provenance(source, dist, images, WORKFLOW)
    statement = json.loads((dist / "provenance-1.2.3.json").read_text())
    subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    assert [f"sha256:{subjects[name]}" for name in NAMES] == digests
    assert subjects["tweetbot-trainer-1.2.3.oci.tar"] == hash_file(dist / "tweetbot-trainer-1.2.3.oci.tar")
    (git, pins) = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert (git["digest"], pins["uri"]) == ({"gitCommit": COMMIT}, "requirements/operator.txt")
    builder = statement["predicate"]["runDetails"]["builder"]["id"]
    assert builder == "https://host/o/r/.github/workflows/release.yaml@refs/tags/v1"
    checked = subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=dist, check=False)
    assert checked.returncode == 0
    assert {line.split("  ")[1] for line in sums.read_text().splitlines()} == {
        path.name for path in dist.iterdir() if path.name != SUMS
    }


def test_a_release_is_signed_where_a_key_or_an_identity_is_given_and_else_says_that_it_is_not(tmp_path: Path) -> None:
    assert choose_options({}) is None
    assert choose_options({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "token"}) == []
    assert (choose_options({"COSIGN_KEY": "cosign.key"}) or [])[:2] == ["--key", "cosign.key"]
    assert sign(tmp_path / SUMS, {"PATH": ""}).startswith("not signed: ")
    with pytest.raises(ReleaseFailed, match="no cosign on PATH"):
        sign(tmp_path / SUMS, {"PATH": str(tmp_path), "COSIGN_KEY": "cosign.key"})
