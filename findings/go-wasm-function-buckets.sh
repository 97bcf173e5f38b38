#!/usr/bin/env bash
# Two fifths of the data of a WebAssembly program that Go has linked are a table that only counts.
#
# One would guess: a table by which the runtime finds the function of an address is smaller than the functions.
# What happens: such a table has an entry of 20 bytes for each 4,096 addresses, and most native functions are smaller than that.
# In WebAssembly Go gives each function 65,536 addresses, however small it is. So each function has 16 entries of 320 bytes. They
# say nothing but its number. Hello world has 0.57 MB of them.
# Versions: Go 1.26.8, Node 20.20.2. Seen on 2026-11-30.
# Output:
#> functions: more than 1,000
#> bytes of the table for each function: 320
#> functions whose entries have more than its number: at most the last one
#> the table is more than a third of the data
#> hello
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod GOTOOLCHAIN=go1.26.8

mkdir hello count
printf 'module hello\n\ngo 1.26\n' >hello/go.mod
printf 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n' >hello/main.go
(cd hello && GOOS=js GOARCH=wasm go build -trimpath -ldflags="-s -w" -o ../hello.wasm .)

printf 'module count\n\ngo 1.26\n' >count/go.mod
cat >count/main.go <<'GO'
// Command count looks for the table in what hello.wasm puts into memory.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
)

const entry, perFunction = 20, 16

func main() {
	program, err := os.ReadFile("hello.wasm")
	if err != nil {
		panic(err)
	}
	var functions uint64
	var memory []byte
	for rest := program[8:]; len(rest) > 0; {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		body := rest[1+n:][:size]
		rest = rest[1+n+int(size):]
		switch id {
		case 10:
			functions, _ = binary.Uvarint(body)
		case 11:
			memory = placed(body)
		}
	}
	of := func(function uint32) []byte { // the entries of a function
		e := append(binary.LittleEndian.AppendUint32(nil, function), make([]byte, 16)...)
		return bytes.Repeat(e, perFunction)
	}
	begins := bytes.Index(memory, append(of(1), of(2)...)) - perFunction*entry
	same := uint64(0)
	for same < functions && bytes.HasPrefix(memory[begins+int(same)*perFunction*entry:], of(uint32(same))) {
		same++
	}
	table := int(same) * perFunction * entry
	first := bytes.IndexFunc(memory, func(r rune) bool { return r != 0 })
	fmt.Println("functions: more than 1,000:", functions > 1000)
	fmt.Println("bytes of the table for each function:", table/int(same))
	fmt.Println("functions whose entries have more than its number: at most the last one:", functions-same <= 1)
	fmt.Println("the table is more than a third of the data:", 3*table > len(memory)-first)
	fmt.Fprintln(os.Stderr, functions, "functions,", table, "bytes of", len(memory)-first)
}

// placed reads segments of the form 0x00 0x41 address 0x0b length data, and returns the memory with their data.
func placed(section []byte) (memory []byte) {
	count, n := binary.Uvarint(section)
	rest := section[n:]
	for range count {
		rest = rest[2:]
		var at int
		for shift := 0; ; shift += 7 {
			b := rest[0]
			rest = rest[1:]
			at |= int(b&0x7f) << shift
			if b < 0x80 {
				break
			}
		}
		size, n := binary.Uvarint(rest[1:])
		data := rest[1+n:][:size]
		rest = rest[1+n+int(size):]
		if end := at + len(data); end > len(memory) {
			memory = append(memory, make([]byte, end-len(memory))...)
		}
		copy(memory[at:], data)
	}
	return memory
}
GO
(cd count && go build -o ../counter .)
{
	./counter | sed -E 's/: true//g'
	cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$(go env GOROOT)/lib/wasm/wasm_exec_node.js" .
	node wasm_exec_node.js hello.wasm
} >out.txt
diff <(sed -n 's/^#> //p' "$self") out.txt
