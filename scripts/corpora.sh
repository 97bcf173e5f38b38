#!/usr/bin/env bash
# Writes what the fuzz targets have found on this machine into test/corpora.tgz, from which fuzz.sh starts. Inputs over 4 KiB
# are left out. usage: corpora.sh
set -euo pipefail

cd "$(go env GOCACHE)/fuzz"
find github.com/kkrpc-go/kkrpc -type f -size -5k -print0 | sort -z |
	tar --null --no-recursion --mtime=@0 --owner=0 --group=0 --numeric-owner -czf "$OLDPWD/test/corpora.tgz" -T -
