#!/usr/bin/env bash
# Publishes dist/ (`make release`) for the tag v$1 on the repository's host: the release with its files, images and chart in the
# host's registry, and the site on the branch gh-pages. gh, skopeo, helm, cosign, GH_TOKEN and GITHUB_REPOSITORY are the host's.
set -euo pipefail
cd "$(dirname "$0")/.."
VERSION=${1:?publish.sh VERSION}
REPOSITORY=${GITHUB_REPOSITORY,,}
REGISTRY=ghcr.io/$REPOSITORY
SITE_URL=https://${REPOSITORY%%/*}.github.io/${REPOSITORY#*/}

release() { # the files, with the notes that were cut from the changelog; images are larger than the host takes here
  local files=()
  for file in dist/*; do [[ $file == *.oci.tar ]] || files+=("$file"); done
  gh release view "v$VERSION" >/dev/null 2>&1 ||
    gh release create "v$VERSION" --verify-tag --title "$VERSION" --notes-file dist/RELEASE_NOTES.md "${files[@]}"
}

images_and_chart() { # pushed by what was built, signed by digest
  local archive name
  skopeo login ghcr.io --username "${GITHUB_ACTOR:-token}" --password-stdin <<<"$GH_TOKEN"
  helm registry login ghcr.io --username "${GITHUB_ACTOR:-token}" --password-stdin <<<"$GH_TOKEN"
  cosign login ghcr.io --username "${GITHUB_ACTOR:-token}" --password-stdin <<<"$GH_TOKEN"
  for archive in dist/*.oci.tar; do
    name=$(basename "$archive" | sed 's/-[0-9].*//')
    skopeo copy --quiet --preserve-digests --digestfile build/digest "oci-archive:$archive" "docker://$REGISTRY/$name:$VERSION"
    cosign sign --yes "$REGISTRY/$name@$(cat build/digest)"
  done
  helm push "dist/tweetbot-operator-$VERSION.tgz" "oci://$REGISTRY/charts"
}

site() { # this version beside the earlier ones
  rm -rf build/site
  git clone --quiet --depth 1 --branch gh-pages "https://github.com/$REPOSITORY" build/site ||
    git init --quiet --initial-branch gh-pages build/site
  make docs ARGS="--version $VERSION --url $SITE_URL"
  git -C build/site add --all
  git -C build/site diff --cached --quiet || git -C build/site -c user.name="The TweetBot operator's maintainers" -c user.email=maintainers@users.noreply.github.com \
    commit --quiet --message "Site of $VERSION"
  git -C build/site push "https://github.com/$REPOSITORY" gh-pages
}

grep -qx "version = \"$VERSION\"" pyproject.toml || { echo "publish: pyproject.toml has another version" >&2; exit 1; }
gh auth setup-git
mkdir -p build
release
images_and_chart
site
