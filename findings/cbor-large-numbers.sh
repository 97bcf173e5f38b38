#!/usr/bin/env bash
# CBOR does not bring JavaScript's whole numbers into Go's int64: from 2^32 on they are floats.
#
# One would guess: CBOR has 64-bit integers, so Date.now() crosses to an int64 at least as well as in JSON.
# What happens: cbor-x writes numbers from 2^32 on as float64, with or without a fraction.
# fxamacker/cbor refuses a float for an int64, also when it is a whole number.
# In the other direction Go's int64 arrives as a number below 2^32 and as a bigint from there on.
# A millisecond timestamp therefore fails in one direction and changes its type in the other.
# Versions: cbor-x 1.6.9, github.com/fxamacker/cbor/v2 v2.10.0, Node 20.20.2, Go 1.26.8. Seen on 2026-11-28.
# Output:
#> JavaScript to Go: 4294967295 1affffffff 4294967295 <nil>
#> JavaScript to Go: 4294967296 fb41f0000000000000 0 cbor: cannot unmarshal primitives into Go value of type int64
#> JavaScript to Go: 1764374400000 fb4279acce8cc00000 0 cbor: cannot unmarshal primitives into Go value of type int64
#> Go to JavaScript: 1affffffff number 4294967295
#> Go to JavaScript: 1b0000000100000000 bigint 4294967296
#> Go to JavaScript: 1b0000019acce8cc00 bigint 1764374400000
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts cbor-x@1.6.9 >&2
go mod init finding 2>/dev/null
go get github.com/fxamacker/cbor/v2@v2.10.0

cat >write.mjs <<'EOF'
import { Encoder } from "cbor-x"
const encoder = new Encoder({ useRecords: false })
for (const n of [2 ** 32 - 1, 2 ** 32, 1764374400000]) console.log(n, encoder.encode(n).toString("hex"))
EOF
cat >read.mjs <<'EOF'
import { readFileSync } from "node:fs"
import { decode } from "cbor-x"
for (const line of readFileSync(0, "utf8").trim().split("\n")) {
	const value = decode(Buffer.from(line, "hex"))
	console.log("Go to JavaScript:", line, typeof value, String(value))
}
EOF
cat >main.go <<'EOF'
package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"github.com/fxamacker/cbor/v2"
)

func main() {
	if len(os.Args) > 1 { // write
		for _, n := range []int64{1<<32 - 1, 1 << 32, 1764374400000} {
			data, _ := cbor.Marshal(n)
			fmt.Println(hex.EncodeToString(data))
		}
		return
	}
	var number, text string
	for n, _ := fmt.Scan(&number, &text); n == 2; n, _ = fmt.Scan(&number, &text) {
		data, _ := hex.DecodeString(text)
		var value int64
		err := cbor.Unmarshal(data, &value)
		fmt.Println("JavaScript to Go:", number, text, value, err)
	}
}
EOF
go build -o go-cbor .
{
	node write.mjs | ./go-cbor
	./go-cbor write | node read.mjs
} | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
