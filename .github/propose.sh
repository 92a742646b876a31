#!/usr/bin/env bash
# Opens a pull request with what `make lock` changed, or brings an open one up to date. `gh` and GH_TOKEN are the host's.
# The host starts no workflow for it, as its own token opened it: the tests have run in the job that called this.
set -euo pipefail
cd "$(dirname "$0")/.."
BRANCH=dependencies
git diff --quiet -- requirements && { echo "nothing to propose"; exit 0; }
gh auth setup-git
git switch --force-create "$BRANCH"
git -c user.name="The TweetBot operator's maintainers" -c user.email=maintainers@users.noreply.github.com \
  commit --quiet --signoff --message "Raise what requirements pin" -- requirements
git push --force origin "$BRANCH"
gh pr view "$BRANCH" --json state --jq .state 2>/dev/null | grep -qx OPEN ||
  gh pr create --head "$BRANCH" --title "Raise what requirements pin" --body "By \`make lock ARGS=--upgrade\`; \`make check\` and \`make unit\` passed."
