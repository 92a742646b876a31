#!/usr/bin/env bash
# Resolves the requirement files from pyproject.toml, the images' two held to what development resolved.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=("${UV:-uv}" pip compile --quiet --generate-hashes --no-header --no-annotate --universal --python-version 3.11)
"${compile[@]}" --extra operator --extra trainer --group dev pyproject.toml -o requirements/development.txt
"${compile[@]}" --extra operator -c requirements/development.txt pyproject.toml -o requirements/operator.txt
"${compile[@]}" --extra trainer -c requirements/development.txt pyproject.toml -o requirements/trainer.txt
"${compile[@]}" --extra trainer --group bench -c requirements/development.txt pyproject.toml -o requirements/bench.txt
echo "uv==$("${UV:-uv}" --version | cut -d' ' -f2)" | "${compile[@]}" - -o requirements/bootstrap.txt
