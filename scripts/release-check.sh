#!/usr/bin/env bash
# Installs the tagged commit HEAD as users will: Go modules from a module proxy, npm packages from their tarballs. It needs Node.
# usage: release-check.sh vX.Y.Z[-PRE]
# Modules of others come from the module cache of this machine, and what is missing there from the usual proxy.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$1
module=github.com/kkrpc-go/kkrpc
root=$PWD
tmp=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$tmp"' EXIT

step() { echo "-- $*"; }
expect() { # the wanted output, the command
	local got
	got=$("${@:2}")
	if [[ $got != "$1" ]]; then
		echo "${*:2} printed $got, want $1" >&2
		exit 1
	fi
}

step "a module proxy in a folder"
go run ./scripts/release proxy "$version" "$tmp/proxy"
proxies=$(go env GOPROXY)
export GOPROXY="file://$tmp/proxy,file://$(go env GOMODCACHE)/cache/download,${proxies%,direct}"
export GONOSUMDB="$module" GOWORK=off GOFLAGS="-modcacherw" GOMODCACHE="$tmp/modules" GOBIN="$tmp/bin"

step "go get $module@$version and an adapter, in a new module"
cp -r scripts/testdata/consumer "$tmp/consumer"
cd "$tmp/consumer"
go mod init example.com/consumer 2>/dev/null
go get "$module@$version"
echo "   go.mod has $(grep -c '// indirect' go.mod || true) indirect requirements, go.sum $(wc -l <go.sum) lines"
go get "$module/adapter/kkgin@$version"
go mod tidy
if grep "$module" go.mod | grep -v "$version"; then
	echo "another version than $version was selected" >&2
	exit 1
fi
go vet ./...
expect "Hello, module!" go run .

step "go install $module/cmd/kkrpc@$version"
go install "$module/cmd/kkrpc@$version"
expect "kkrpc $version, $(go env GOVERSION) $(go env GOOS)/$(go env GOARCH)" "$tmp/bin/kkrpc" version
"$tmp/bin/kkrpc" gen ts . -o api.gen.ts
grep -q 'greet(name: string): Promise<string>' api.gen.ts

step "go get -tool $module/cmd/kkrpc@$version"
go get -tool "$module/cmd/kkrpc@$version"
expect "kkrpc $version, $(go env GOVERSION) $(go env GOOS)/$(go env GOARCH)" go tool kkrpc version
go run "$module/cmd/kkrpc" gen ts . -o api.gen.ts --check

step "every module that is tagged resolves"
mkdir "$tmp/all"
cd "$tmp/all"
go mod init example.com/all 2>/dev/null
for tag in $(cd "$root" && git tag --points-at HEAD); do
	path=${tag%"$version"}
	path=$module/${path%/}
	go get "${path%/}@$version"
done
go get "$module/examples/quickstart/server@$version"
go build -o /dev/null "$module/examples/quickstart/server"

step "npm packages from their tarballs"
number=${version#v}
mkdir "$tmp/npm"
cd "$tmp/npm"
npm init -y >/dev/null
npm pack --silent "$root/npm" "$root/npm/client"
npm install --silent --no-audit --no-fund --ignore-scripts ./kkrpc-go-hono-"$number".tgz ./kkrpc-go-client-"$number".tgz kkrpc@0 ws
cp "$root"/scripts/testdata/*.mjs .
"$tmp/bin/kkrpc" demo --addr localhost:0 >demo.txt 2>demo.log &
server=$!
for ((i = 0; i < 100; i++)); do
	url=$(grep -o -m1 'ws://[^ ,]*/ws' demo.txt || true)
	[[ -z $url ]] || break
	sleep 0.1
done
expect "Hello, tarball!" node client.mjs "$url"
(cd "$tmp/consumer" && "$tmp/bin/kkrpc" build hono ./inside --runtime node -o "$tmp/npm/dist" >/dev/null)
expect "Hello, inside!" node inside.mjs dist
echo "$version can be installed"
