package shrink

import (
	"bytes"
	"strings"
	"testing"
)

// TestMergeSegments writes its modules by hand: ids, lengths and addresses are small enough to read, or explained.
func TestMergeSegments(t *testing.T) {
	zeros := strings.Repeat("\x00", maxGap)
	for _, row := range []struct {
		name, module, want string
	}{
		{"no data", "\x01\x02ab", "\x01\x02ab"},
		{"no segments", "\x0b\x01\x00", "\x0b\x01\x00"},
		{"adjacent", "\x0b\x0f\x02" + "\x00\x41\x08\x0b\x02ab" + "\x00\x41\x0a\x0b\x02cd",
			"\x0b\x0a\x01" + "\x00\x41\x08\x0b\x04abcd"},
		{"a gap", "\x0b\x0f\x02" + "\x00\x41\x08\x0b\x02ab" + "\x00\x41\x0d\x0b\x02cd",
			"\x0b\x0d\x01" + "\x00\x41\x08\x0b\x07ab\x00\x00\x00cd"},
		{"the largest gap", "\x0b\x0e\x02" + "\x00\x41\x00\x0b\x01a" + "\x00\x41\xc1\x00\x0b\x01b", // 65
			"\x0b\x48\x01" + "\x00\x41\x00\x0b\x42a" + zeros + "b"},
		{"too large a gap", "\x0b\x0e\x02" + "\x00\x41\x00\x0b\x01a" + "\x00\x41\xc2\x00\x0b\x01b",
			"\x0b\x0e\x02" + "\x00\x41\x00\x0b\x01a" + "\x00\x41\xc2\x00\x0b\x01b"},
		{"overlapping", "\x0b\x0f\x02" + "\x00\x41\x08\x0b\x02ab" + "\x00\x41\x09\x0b\x02cd",
			"\x0b\x09\x01" + "\x00\x41\x08\x0b\x03acd"},
		{"inside of an earlier one", "\x0b\x10\x02" + "\x00\x41\x08\x0b\x04abcd" + "\x00\x41\x09\x0b\x01x",
			"\x0b\x0a\x01" + "\x00\x41\x08\x0b\x04axcd"},
		{"backwards", "\x0b\x0f\x02" + "\x00\x41\x08\x0b\x02ab" + "\x00\x41\x06\x0b\x02cd",
			"\x0b\x0a\x01" + "\x00\x41\x06\x0b\x04cdab"},
		{"backwards with a gap", "\x0b\x0f\x02" + "\x00\x41\xc8\x00\x0b\x01a" + "\x00\x41\x06\x0b\x02cd", // 72
			"\x0b\x49\x01" + "\x00\x41\x06\x0b\x43cd" + zeros + "a"},
		{"a gap that an earlier one has filled", "\x0b\x14\x03" + "\x00\x41\x0a\x0b\x01x" + "\x00\x41\x08\x0b\x02ab" + "\x00\x41\x0b\x0b\x01c",
			"\x0b\x0a\x01" + "\x00\x41\x08\x0b\x04abxc"},
		{"a high address", "\x0b\x17\x02" + "\x00\x41\x80\x80\x80\x80\x78\x0b\x02ab" + "\x00\x41\x82\x80\x80\x80\x78\x0b\x02cd", // 2 GiB, as i32
			"\x0b\x0e\x01" + "\x00\x41\x80\x80\x80\x80\x78\x0b\x04abcd"},
		{"a section behind", "\x0b\x08\x01\x00\x41\x08\x0b\x02ab\x00\x02cd", "\x0b\x08\x01\x00\x41\x08\x0b\x02ab\x00\x02cd"},
	} {
		t.Run(row.name, func(t *testing.T) {
			module := []byte(wasmHeader + row.module)
			before := bytes.Clone(module)
			program, err := Read(module)
			if err != nil {
				t.Fatal(err)
			}
			got, err := program.Bytes()
			if err != nil || string(got) != wasmHeader+row.want {
				t.Errorf("got %q (%v)\nwant %q", got, err, wasmHeader+row.want)
			}
			if !bytes.Equal(module, before) {
				t.Error("it wrote into the module")
			}
		})
	}
}

func TestReadOfOther(t *testing.T) {
	for _, row := range []struct {
		name, module, want string
	}{
		{"nothing", "", `it begins with ""`},
		{"a program for a computer", "\x7fELF\x02\x01\x01\x00", `it begins with "\x7fELF`},
		{"a later version", "\x00asm\x02\x00\x00\x00", `it begins with "\x00asm\x02`},
		{"no length", wasmHeader + "\x0b", "a bad number"},
		{"a length that goes on", wasmHeader + "\x0b\x80", "a bad number"},
		{"less than its length", wasmHeader + "\x0b\x05\x01", "it ends too early"},
		{"fewer segments than it says", wasmHeader + "\x0b\x01\x01", "it ends too early"},
		{"no address", wasmHeader + "\x0b\x03\x01\x00\x41", "it ends too early"},
		{"an address that goes on", wasmHeader + "\x0b\x08\x01\x00\x41\x80\x80\x80\x80\x80", "a bad number"},
		{"less data than it says", wasmHeader + "\x0b\x06\x01\x00\x41\x08\x0b\x02", "it ends too early"},
		{"more data than it says", wasmHeader + "\x0b\x02\x00\x00", "1 bytes after its data"},
		{"a passive segment", wasmHeader + "\x0b\x04\x01\x01\x01a", "a data segment has 01 01, want 00 41"},
		{"an address that is computed", wasmHeader + "\x0b\x08\x01\x00\x41\x08\x6a\x02ab", "a data segment has 6a, want 0b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Read([]byte(row.module))
			if err == nil {
				t.Fatal("no error")
			}
			if want := "not a WebAssembly module that Go has linked: " + row.want; !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
