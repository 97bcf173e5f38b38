package shrink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/url"
	"strings"
)

// The tables of functions are for goroutines that are resumed, for the garbage collector, and for stack traces. Their layout is
// private to Go's runtime: runtime.pcHeader, runtime._func and runtime.moduledata. So they are changed only in programs of
// Go versions for which the tests of this package have been run.

// knownVersions are the versions of Go whose tables have this layout.
var knownVersions = []string{"go1.26"}

// Knows reports whether the tables are known of programs that a version of Go has linked, such as go1.26.1.
func Knows(version string) bool {
	for _, known := range knownVersions {
		if rest, ok := strings.CutPrefix(version, known); ok && (rest == "" || rest[0] == '.' || rest[0] == '-' || rest[0] == ' ') {
			return true
		}
	}
	return false
}

// ErrTables is the error for tables that are not what they are in the versions that Knows reports.
var ErrTables = errors.New("the tables of functions are not those of Go 1.26")

// pcHeader is the beginning of the tables in a 64-bit program: the magic number, two zeros, and the sizes of an instruction
// and a pointer.
var pcHeader = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// Fields of runtime._func, which are four bytes each. Behind them are first the other tables in pcs that the function has, and
// then the places of its function data.
const (
	funcName      = 1
	funcStack     = 4
	funcFile      = 5 // the table of files, in pcs; 0 for none, as in the next one
	funcLine      = 6
	funcPCData    = 7 // the number of other tables
	funcUnit      = 8
	funcStartLine = 9
	funcFlags     = 10 // four bytes: the first is the id, the last the number of function data
	funcFields    = 11
)

// Tables in pcs and function data, by their index: those of package internal/abi.
const (
	pcDataUnsafePoint = 0 // read only if goroutines are preempted by signals, of which WebAssembly has none
	pcDataInlTree     = 2 // which call was inlined at an instruction; these and the following are for stack traces
	pcDataArgLive     = 3

	funcDataInlTree     = 3
	funcDataArgInfo     = 5
	funcDataArgLiveInfo = 6

	noFuncData = 0xffffffff
)

// wrapperID is the id of functions that the compiler has made, such as that of a deferred call with arguments.
const wrapperID = 23

// Words of runtime.moduledata, which are eight bytes each.
const (
	moduleBuckets = 19 // see bucketSize
	moduleFirst   = 20 // the address of the first function
	moduleData    = 40 // of function data
	moduleWords   = 42
)

// tables are the tables of a program. All are parts of its memory.
type tables struct {
	memory
	names, units, files, pcs, funcs []byte
	count                           int   // of functions
	header                          int64 // the address of the header
	nameAddress                     int64 // of names
	address                         int64 // of funcs, which begins with the entries and places of all functions
	buckets, funcData               int64 // addresses, if findModule was called
}

// findTables fails for a program that has no such tables. Data of the program may have the bytes of the header too.
func findTables(m memory) (*tables, error) {
	for _, s := range m {
		for at := 0; ; at++ {
			next := bytes.Index(s.data[at:], pcHeader)
			if next < 0 {
				break
			}
			at += next
			if t, err := newTables(m, s.address+int64(at)); err == nil {
				return t, nil
			}
		}
	}
	return nil, ErrTables
}

func newTables(m memory, header int64) (*tables, error) {
	data := m.from(header)
	var places [6]uint64 // where names, units, files, pcs and funcs begin, and the end
	if len(data) < 72 {
		return nil, ErrTables
	}
	for i := range 5 {
		places[i] = binary.LittleEndian.Uint64(data[32+8*i:])
	}
	places[5] = uint64(len(data))
	for i := range 5 {
		if places[i] > places[i+1] {
			return nil, ErrTables
		}
	}
	part := func(i int) []byte { return data[places[i]:places[i+1]] }
	t := &tables{
		memory: m, names: part(0), units: part(1), files: part(2), pcs: part(3), funcs: part(4),
		header: header, nameAddress: header + int64(places[0]), address: header + int64(places[4]),
	}
	count := binary.LittleEndian.Uint64(data[8:])
	if count < 2 || count > uint64(len(t.funcs))/(8+4*funcFields) {
		return nil, ErrTables
	}
	t.count = int(count)
	for i := range t.count {
		if at := t.place(i); at+4*funcFields > len(t.funcs) || t.end(at) > len(t.funcs) {
			return nil, ErrTables
		}
	}
	return t, nil
}

// findModule looks for the moduledata, which begins with the addresses of the header and of the names.
func (t *tables) findModule() error {
	var begins []byte
	for _, address := range []int64{t.header, t.nameAddress} {
		begins = binary.LittleEndian.AppendUint64(begins, uint64(address))
	}
	zeros := len(begins) - len(bytes.TrimLeft(begins, "\x00")) // which are not in the segment if it begins with them
	for _, s := range t.memory {
		at := bytes.Index(s.data, begins[zeros:])
		if at < 0 {
			continue
		}
		module := t.read(s.address+int64(at-zeros), 8*moduleWords)
		word := func(i int) int64 { return int64(binary.LittleEndian.Uint64(module[8*i:])) }
		t.buckets, t.funcData = word(moduleBuckets), word(moduleData)
		if word(moduleFirst)%functionSize == 0 && t.buckets > t.address && t.funcData > t.address {
			return nil
		}
	}
	return ErrTables
}

// word returns four bytes of funcs.
func (t *tables) word(at int) uint32           { return binary.LittleEndian.Uint32(t.funcs[at:]) }
func (t *tables) setWord(at int, value uint32) { binary.LittleEndian.PutUint32(t.funcs[at:], value) }

// place returns where the fields of function i are in funcs.
func (t *tables) place(i int) int { return int(t.word(8*i + 4)) }

// pcTable returns where funcs has the place of a table in pcs.
func (t *tables) pcTable(at, index int) (place int, ok bool) {
	return at + 4*(funcFields+index), index < int(t.word(at+4*funcPCData))
}

// datum returns where funcs has the place of function data.
func (t *tables) datum(at, index int) (place int, ok bool) {
	first, _ := t.pcTable(at, int(t.word(at+4*funcPCData)))
	return first + 4*index, index < int(t.word(at+4*funcFlags)>>24)
}

// id returns the internal/abi.FuncID.
func (t *tables) id(at int) byte { return byte(t.word(at + 4*funcFlags)) }

// end returns where the fields and what is behind them end.
func (t *tables) end(at int) int {
	end, _ := t.datum(at, int(t.word(at+4*funcFlags)>>24))
	return end
}

// pairs calls f with each value of a table in pcs and the place behind it, until the table ends: pairs of numbers up to a zero
// that is not the first one. Of each pair, the first number is by how much the value changes, which begins with -1.
func (t *tables) pairs(at uint32, f func(value int64)) (end int, ok bool) {
	if uint64(at) >= uint64(len(t.pcs)) {
		return 0, false
	}
	r := reader{t.pcs[at:]}
	value := int64(-1)
	for first := true; ; first = false {
		change, err := r.unsigned()
		if err != nil {
			return 0, false
		}
		if change == 0 && !first {
			return len(t.pcs) - len(r.rest), true
		}
		if _, err := r.unsigned(); err != nil {
			return 0, false
		}
		value += int64(change>>1) ^ -int64(change&1)
		f(value)
	}
}

// name returns the name of the function whose fields are at a place.
func (t *tables) name(at int) (string, bool) { return text(t.names, t.word(at+4*funcName)) }

// firstFile returns the file in which a function begins, "" if it has none.
func (t *tables) firstFile(at int) (name string, ok bool) {
	table := t.word(at + 4*funcFile)
	if table == 0 {
		return "", true
	}
	if uint64(table) >= uint64(len(t.pcs)) {
		return "", false
	}
	value, size := binary.Varint(t.pcs[table:]) // from -1 on
	file := 4 * (int64(t.word(at+4*funcUnit)) + value - 1)
	if size <= 0 || file < 0 || file+4 > int64(len(t.units)) {
		return "", false
	}
	return text(t.files, binary.LittleEndian.Uint32(t.units[file:]))
}

// text returns the text at a place in data, which ends with a zero.
func text(data []byte, at uint32) (s string, ok bool) {
	if uint64(at) > uint64(len(data)) {
		return "", false
	}
	end := bytes.IndexByte(data[at:], 0)
	if end < 0 {
		return "", false
	}
	return string(data[at:][:end]), true
}

// packageOf returns the path of the package of a function. Function is a name of the linker, such as
// example.com/api%2ev2.(*API).Greet.
func packageOf(function string) string {
	function, _, _ = strings.Cut(function, "[")
	end := strings.LastIndexByte(function, '/') + 1
	dot := strings.IndexByte(function[end:], '.')
	if dot < 0 {
		return ""
	}
	path := function[:end+dot]
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}
