#!/usr/bin/env bash
# Says how to install what is missing. usage: need.sh go|node
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
esac
