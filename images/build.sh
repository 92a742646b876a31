#!/usr/bin/env bash
# Builds both images: by docker where one runs, else by buildah, as root. Environment: BASE_IMAGE (buildah's default is a
# Debian made here), PIP_INDEX_URL, TORCH_INDEX, TORCH_REQUIREMENTS, BUILDER, REVISION; docs/images.md says what they are for.
set -euo pipefail
cd "$(dirname "$0")/.."
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
DEBIAN=localhost/tweetbot-base:bookworm

need() { # need PROGRAM…: install what is missing, or say in one line what that is
  local missing=()
  for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
  [ ${#missing[@]} = 0 ] && return
  { [ "$(id -u)" = 0 ] && apt-get update --quiet=2 &&
    apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null; } ||
    { echo "make images needs docker, or as root: apt-get install ${missing[*]}" >&2; exit 1; }
}

debian() { # make the base once: a Debian with Python and certificates
  buildah inspect --type image "$DEBIAN" >/dev/null 2>&1 && return
  local container
  container=$(buildah from scratch)
  mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$(buildah mount "$container")"
  buildah config --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
  buildah commit --quiet --rm "$container" "$DEBIAN" >/dev/null
}

build() { # build NAME COMMAND…: one image
  local name=$1 began=$SECONDS arguments=() argument
  shift
  for argument in BASE_IMAGE PIP_INDEX_URL TORCH_INDEX TORCH_REQUIREMENTS; do
    [ -z "${!argument:-}" ] || arguments+=(--build-arg "$argument")
  done
  "$@" "${arguments[@]}" --build-arg VERSION="$VERSION" --build-arg REVISION="${REVISION:-$(git rev-parse HEAD)}" \
    --file "$name/Dockerfile" --tag "tweetbot-$name:$VERSION" .
  echo "tweetbot-$name:$VERSION in $((SECONDS - began)) s"
}

if [ "${BUILDER:-docker}" = docker ] && docker info >/dev/null 2>&1; then
  builder=(docker build --quiet)
else
  need buildah mmdebstrap
  [ -n "${BASE_IMAGE:-}" ] || { debian; export BASE_IMAGE=$DEBIAN; }
  # The host's certificates, for networks whose proxy has its own.
  builder=(buildah build --quiet --layers --force-rm --isolation chroot --volume /etc/ssl/certs:/etc/ssl/certs:ro)
fi
for name in ${*:-operator trainer}; do build "$name" "${builder[@]}"; done
