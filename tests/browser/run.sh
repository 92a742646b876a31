#!/usr/bin/env bash
# Looks at the playground in Debian's Chromium, driven by Playwright, which downloads no browser. Arguments go to pytest;
# --pictures makes the pictures of the docs instead.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=(chromium fonts-roboto-unhinted fonts-dejavu-core fonts-noto-color-emoji)
command -v chromium >/dev/null ||
  { [ "$(id -u)" = 0 ] && apt-get update --quiet=2 &&
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${packages[@]}" >/dev/null; } ||
  { echo "make browser needs, as root: apt-get install ${packages[*]}" >&2; exit 1; }
.venv-bootstrap/bin/uv pip install --quiet --python .venv/bin/python --no-deps --require-hashes -r requirements/browser.txt
if [ "${1:-}" = --pictures ]; then exec python -m browser.pictures; fi
exec pytest --browser "${@:-tests/browser}"
