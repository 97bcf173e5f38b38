#!/usr/bin/env bash
# A WebAssembly program that Go has linked gets smaller under gzip when its data gets larger.
#
# One would guess: the linker leaves zeros out of the data section, so the file is as small as it can be.
# What happens: each run of zeros begins another segment, with an address of its own. Hello world has more than ten thousand
# of them. Addresses hardly compress, and zeros do. With segments joined that are at most 64 zeros apart, the file is larger,
# and 5 to 10 % smaller under gzip. It does the same.
# Versions: Go 1.26.8, Node 20.20.2. Seen on 2026-11-30.
# Output:
#> segments: more than 10,000; joined: fewer than 100
#> the joined file is larger
#> the joined file is smaller under gzip, by 5 to 10 %
#> hello
#> hello
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod GOTOOLCHAIN=go1.26.8

mkdir hello join
printf 'module hello\n\ngo 1.26\n' >hello/go.mod
printf 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n' >hello/main.go
(cd hello && GOOS=js GOARCH=wasm go build -trimpath -ldflags="-s -w" -o ../hello.wasm .)

printf 'module join\n\ngo 1.26\n' >join/go.mod
cat >join/main.go <<'GO'
// Command join joins data segments of hello.wasm that are near each other, and compares the two files.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
)

type segment struct {
	at   int64
	data []byte
}

func main() {
	program, err := os.ReadFile("hello.wasm")
	if err != nil {
		panic(err)
	}
	out := bytes.Clone(program[:8])
	for rest := program[8:]; len(rest) > 0; {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		body := rest[1+n:][:size]
		rest = rest[1+n+int(size):]
		if id == 11 {
			body = joined(body)
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	if err := os.WriteFile("joined.wasm", out, 0o644); err != nil {
		panic(err)
	}
	fmt.Println("the joined file is larger:", len(out) > len(program))
	saved := 100 * float64(zipped(program)-zipped(out)) / float64(zipped(program))
	fmt.Printf("the joined file is smaller under gzip, by 5 to 10 %%: %t\n", saved >= 5 && saved <= 10)
	fmt.Fprintf(os.Stderr, "%.1f %%\n", saved)
}

func zipped(data []byte) int {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	z.Write(data)
	z.Close()
	return b.Len()
}

// joined reads segments of the form 0x00 0x41 address 0x0b length data.
func joined(section []byte) []byte {
	count, n := binary.Uvarint(section)
	rest := section[n:]
	var list []segment
	for range count {
		rest = rest[2:]
		var at int64
		for shift := 0; ; shift += 7 {
			b := rest[0]
			rest = rest[1:]
			at |= int64(b&0x7f) << shift
			if b < 0x80 {
				break
			}
		}
		size, n := binary.Uvarint(rest[1:])
		data := rest[1+n:][:size]
		rest = rest[1+n+int(size):]
		if n := len(list); n > 0 {
			last := &list[n-1]
			if gap := at - last.at - int64(len(last.data)); gap >= 0 && gap <= 64 {
				last.data = append(append(last.data, make([]byte, gap)...), data...)
				continue
			}
		}
		list = append(list, segment{at, bytes.Clone(data)})
	}
	fmt.Printf("segments: more than 10,000: %t; joined: fewer than 100: %t\n", count > 10000, len(list) < 100)
	fmt.Fprintln(os.Stderr, count, "segments,", len(list), "joined")
	out := binary.AppendUvarint(nil, uint64(len(list)))
	for _, s := range list {
		out = append(out, 0x00, 0x41)
		for v := s.at; ; {
			b := byte(v & 0x7f)
			if v >>= 7; v == 0 && b&0x40 == 0 {
				out = append(out, b)
				break
			}
			out = append(out, b|0x80)
		}
		out = append(out, 0x0b)
		out = binary.AppendUvarint(out, uint64(len(s.data)))
		out = append(out, s.data...)
	}
	return out
}
GO
(cd join && go build -o ../joiner .)
{
	./joiner | sed -E 's/: true//g'
	cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$(go env GOROOT)/lib/wasm/wasm_exec_node.js" .
	for file in hello joined; do node wasm_exec_node.js "$file.wasm"; done
} >out.txt
diff <(sed -n 's/^#> //p' "$self") out.txt
