#!/usr/bin/env bash
# Resolves the requirement files from pyproject.toml, the images' held to what development resolved. Arguments go to uv: --upgrade
# takes newer versions of everything; else what is pinned stays, if it still fits.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=("${UV:-uv}" pip compile --quiet --generate-hashes --no-header --no-annotate --universal --python-version 3.11 "$@")
"${compile[@]}" --extra operator --extra trainer --extra cli --group dev pyproject.toml -o requirements/development.txt
"${compile[@]}" --extra cli -c requirements/development.txt pyproject.toml -o requirements/cli.txt
"${compile[@]}" --extra operator -c requirements/development.txt pyproject.toml -o requirements/operator.txt
# torch with its libraries has a file of its own: it is the image's largest layer and the one part with other builds.
echo torch | "${compile[@]}" -c requirements/development.txt - -o requirements/torch.txt
mapfile -t torch < <(sed -n 's/^\([a-z0-9.-]*\)==.*/--no-emit-package=\1/p' requirements/torch.txt)
"${compile[@]}" --extra trainer "${torch[@]}" -c requirements/development.txt pyproject.toml -o requirements/trainer.txt
"${compile[@]}" --extra trainer --group bench -c requirements/development.txt pyproject.toml -o requirements/bench.txt
"${compile[@]}" --group pyproject.toml:browser -c requirements/development.txt -o requirements/browser.txt
"${compile[@]}" --extra trainer --group notebook -c requirements/development.txt pyproject.toml -o requirements/notebook.txt
"${compile[@]}" --group pyproject.toml:docs -c requirements/development.txt -o requirements/docs.txt
"${compile[@]}" --group pyproject.toml:images -o requirements/images.txt
echo "uv==$("${UV:-uv}" --version | cut -d' ' -f2)" | "${compile[@]}" - -o requirements/bootstrap.txt
