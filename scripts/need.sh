#!/usr/bin/env bash
# Says how to install what is missing. usage: need.sh go|node|chromium|valgrind
# What make test can do without is no failure. With KKRPC_INSTALL=1, as in CI, apt-get installs it.
set -euo pipefail

install() { # the name for apt, dnf, brew
	if command -v brew >/dev/null; then
		echo "    brew install $3"
	elif command -v apt-get >/dev/null; then
		echo "    sudo apt-get update && sudo apt-get install -y $1"
	elif command -v dnf >/dev/null; then
		echo "    sudo dnf install -y $2"
	else
		echo "    $4"
	fi
}

optional() { # what is left out without it, the names of the command, those for install
	local command
	for command in $2; do
		if command -v "$command" >/dev/null; then
			return
		fi
	done
	if [[ ${KKRPC_INSTALL:-} == 1 ]]; then
		echo "installing $3"
		if apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $3 >/dev/null; then
			return
		fi
	fi
	echo "$3 is missing: $1 left out. Set KKRPC_INSTALL=1 to have apt-get install it, or run:"
	install "${@:3}"
}

case $1 in
go)
	if ! command -v go >/dev/null; then
		echo "Go 1.26 or later is needed. Install it from https://go.dev/dl/"
		exit 1
	fi
	;;
node)
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		echo "Node 20 or later and npm are needed. Install them with:"
		install "nodejs npm" "nodejs npm" node "see https://nodejs.org/en/download"
		exit 1
	fi
	version=$(node --version)
	major=${version#v}
	if ((${major%%.*} < 20)); then
		echo "Node 20 or later is needed, this is $version. Install it from https://nodejs.org/en/download"
		exit 1
	fi
	;;
chromium)
	optional "the tests with a browser are" "chromium chromium-browser google-chrome google-chrome-stable" \
		chromium chromium "--cask chromium" "see https://www.chromium.org/getting-involved/download-chromium/"
	;;
valgrind)
	optional "counting instructions is" valgrind valgrind valgrind valgrind "see https://valgrind.org/downloads/"
	;;
esac
