#!/usr/bin/env bash
# Runs tests/e2e on a real node: containerd and a kubelet beside the embedded cluster's control plane, in network, mount and
# process namespaces of their own, with which all of it ends. Arguments go to pytest; what was said stays in build/e2e.
set -euo pipefail
cd "$(dirname "$0")/../.."
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
NODE=${XDG_CACHE_HOME:-$HOME/.cache}/tweetbot/real-node # containerd's folder, and the images on their way there
export PATH=$PATH:/usr/sbin:/sbin

fail() { echo "make e2e: $*" >&2; exit 1; }

need() { # install what is missing, or say in one line what that is
  local missing=()
  while read -r place package; do
    [ -n "$(command -v "$place")" ] || missing+=("$package")
  done <<<"ctr containerd
runc runc
buildah buildah
iptables iptables
ip iproute2
/usr/lib/cni/ptp containernetworking-plugins"
  [ "$(id -u)" = 0 ] || fail "a real node needs root${missing:+, and: apt-get install ${missing[*]}}"
  [ ${#missing[@]} = 0 ] || { apt-get update --quiet=2 &&
    apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null; } ||
    fail "on this machine first install ${missing[*]}"
}

pause() { # make the image that holds a Pod's namespaces
  local program container
  program=$(python -m tweetbot_cluster build-node)
  buildah inspect --type image localhost/tweetbot-pause:1 >/dev/null 2>&1 && return
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$program" /pause >/dev/null
  buildah config --entrypoint '["/pause"]' "$container"
  buildah commit --quiet --rm "$container" localhost/tweetbot-pause:1 >/dev/null
}

export_image() { # export_image NAME: lay it ready for the node, unless the node has it
  local id
  id=$(buildah inspect --type image --format '{{.FromImageID}}' "localhost/$1" 2>/dev/null) ||
    fail "buildah has no image $1: run make images, where no docker runs, as that would have it then"
  [ "$id" != "$(cat "$NODE/imported/${1%:*}" 2>/dev/null)" ] || return 0
  echo "exporting $1" >&2
  local archive=$NODE/images/${1%:*}.tar
  rm -f "$archive" "$archive.partial"
  buildah push --quiet "localhost/$1" "docker-archive:$archive.partial:docker.io/library/$1"
  echo "$id" >"$NODE/images/${1%:*}.id"
  mv "$archive.partial" "$archive"
}

namespaces() { # inside: an address of our own, and the places where the programs keep things
  ip link set lo up
  ip link add node0 type bridge
  ip address add 192.31.196.1/32 dev node0
  ip link set node0 up
  mount --make-rshared /
  mount -t tmpfs -o mode=755 tmpfs /run
  for place in lib/containerd lib/kubelet lib/cni log/pods log/containers; do
    local kept=$PWD/build/e2e/var/$place
    [ "$place" != lib/containerd ] || kept=$NODE/containerd
    mkdir -p "/var/$place" "$kept"
    mount --bind "$kept" "/var/$place"
  done
  pytest -p no:randomly --e2e --durations=0 --durations-min=1 "${@:-tests/e2e}"
}

if [ "${1:-}" = --inside ]; then
  shift
  namespaces "$@"
  exit
fi
need
mkdir -p "$NODE/images" "$NODE/imported"
exec 9>"$NODE/lock" # containerd lets one have its folder; a second would wait for it in vain, after it took our logs away
flock --nonblock 9 || fail "it runs already on this machine, and the node is one: wait for its end"
python -m tweetbot_cluster build >/dev/null
rm -rf build/e2e
mkdir -p build/e2e
pause
for image in tweetbot-pause:1 "tweetbot-operator:$VERSION" "tweetbot-trainer:$VERSION"; do export_image "$image"; done
status=0
unshare --net --mount --pid --fork --kill-child --mount-proc bash "$0" --inside "$@" || status=$?
find /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods -depth -type d -exec rmdir {} + 2>/dev/null || true
echo "make e2e took $((SECONDS / 60)) min $((SECONDS % 60)) s; its logs and what was typed: build/e2e" >&2
exit $status
