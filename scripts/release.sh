#!/usr/bin/env bash
# Releases this repository: one version for all Go modules and npm packages. usage: scripts/release.sh vX.Y.Z[-PRE]
# It commits and tags in a temporary clone, installs all of it from there, and only then takes the commit and the tags over.
# It pushes nothing; it prints how.
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# != 1)); then
	echo "usage: scripts/release.sh vX.Y.Z[-PRE]" >&2
	exit 2
fi
version=$1
if [[ -n $(git status --porcelain) ]]; then
	echo "there are changes that are not committed: commit them or put them away" >&2
	exit 1
fi
if ! branch=$(git symbolic-ref --short -q HEAD); then
	echo "no branch is checked out" >&2
	exit 1
fi
tags=$(go run ./scripts/release tags "$version")
for tag in $tags; do
	if git rev-parse -q --verify "refs/tags/$tag" >/dev/null; then
		echo "the tag $tag exists already" >&2
		exit 1
	fi
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
git clone -q --branch "$branch" . "$tmp/clone"
(
	cd "$tmp/clone"
	git config user.name "$(git -C "$OLDPWD" config user.name)"
	git config user.email "$(git -C "$OLDPWD" config user.email)"
	go run ./scripts/release prepare "$version"
	git commit -q -a -m "release: $version"
	for tag in $tags; do
		git tag -a -m "$tag" "$tag"
	done
	scripts/release-check.sh "$version"
)
dist_tag=latest
[[ $version != *-* ]] || dist_tag=next
git pull -q --ff-only --tags "$tmp/clone" "$branch"

echo
echo "Released $version on the branch $branch. Publish it by"
echo
echo "    git push --atomic origin $branch" $tags
echo "    npm publish --tag $dist_tag ./npm && npm publish --tag $dist_tag ./npm/client"
