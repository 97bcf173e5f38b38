package load

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Work is a method that is called over and over, with arguments that differ from call to call and whose results are
// known. Arguments and results are JSON.
type Work struct {
	Method string // with dots
	Args   int
	Arg    func(dst []byte, i int, id uint64) []byte
	Result func(dst []byte, id uint64) []byte
	// Kinds is how many different results there are: those of calls whose numbers have the same remainder are equal. 0 means
	// that each call has its own.
	Kinds int
	// Verify checks a result of another form than Result's, such as bytes; nil compares the JSON values.
	Verify func(raw []byte) error
	// Bytes is about how long a request is.
	Bytes int
	// Blob is the argument in dialects with binary frames; it is not to be changed.
	Blob []byte
}

// Add is math.add of two numbers. Its arguments and results keep their length.
func Add() Work {
	return Work{
		Method: "math.add",
		Args:   2,
		Arg: func(dst []byte, i int, id uint64) []byte {
			return strconv.AppendUint(dst, summand(i, id), 10)
		},
		Result: func(dst []byte, id uint64) []byte {
			return strconv.AppendUint(dst, summand(0, id)+summand(1, id), 10)
		},
		Bytes: 200,
	}
}

func summand(i int, id uint64) uint64 {
	if i == 0 {
		return 1000 + id%1000
	}
	return 3000 + id%997
}

// Echo is echo of a string of n bytes, of which the first tell the call.
func Echo(n int) Work {
	const mark = 16
	filler := strings.Repeat("The quick brown fox jumps over the lazy dog. ", n/45+1)[:n-mark] + `"`
	text := func(dst []byte, id uint64) []byte {
		dst = append(dst, '"')
		dst = appendHex(dst, id, mark)
		return append(dst, filler...)
	}
	return Work{
		Method: "echo",
		Args:   1,
		Arg:    func(dst []byte, _ int, id uint64) []byte { return text(dst, id) },
		Result: text,
		Bytes:  n + 200,
	}
}

// Struct is user, which answers with its argument, an object of 20 fields.
func Struct() Work {
	const head = `{"id":`
	const tail = `,"name":"Ada Lovelace","email":"ada@example.com","active":true,"age":36,"score":98.5,` +
		`"street":"12 St James's Square","city":"London","postcode":"SW1Y 4JH","country":"GB","phone":"+44 20 7946 0000",` +
		`"createdAt":"2026-01-02T03:04:05.000Z","updatedAt":"2026-02-03T04:05:06.000Z","role":"admin","logins":1842,` +
		`"verified":false,"locale":"en-GB","timezone":"Europe/London","balance":1250.75,"notes":"wrote the first program"}`
	text := func(dst []byte, id uint64) []byte {
		dst = append(dst, head...)
		dst = strconv.AppendUint(dst, 100_000+id%800_000, 10)
		return append(dst, tail...)
	}
	return Work{
		Method: "user",
		Args:   1,
		Arg:    func(dst []byte, _ int, id uint64) []byte { return text(dst, id) },
		Result: text,
		Bytes:  len(head) + len(tail) + 200,
	}
}

// Bytes is bytes, which answers with n bytes that count up.
func Bytes(n int) Work {
	return Work{
		Method: "bytes",
		Args:   1,
		Arg:    func(dst []byte, _ int, _ uint64) []byte { return strconv.AppendInt(dst, int64(n), 10) },
		Result: func(dst []byte, _ uint64) []byte {
			dst = append(dst, '[')
			for i := range n {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = strconv.AppendUint(dst, uint64(i%256), 10)
			}
			return append(dst, ']')
		},
		Kinds:  1,
		Verify: func(raw []byte) error { return verifyBytes(raw, n) },
		Bytes:  200,
	}
}

// EchoBytes is echoBytes, which gives n bytes back. In JSON it sends them as JSON.stringify does.
func EchoBytes(n int) Work {
	blob := make([]byte, n)
	text := []byte{'{'}
	for i := range blob {
		blob[i] = byte(i)
		if i > 0 {
			text = append(text, ',')
		}
		text = append(strconv.AppendInt(append(text, '"'), int64(i), 10), '"', ':')
		text = strconv.AppendUint(text, uint64(blob[i]), 10)
	}
	text = append(text, '}')
	value := func(dst []byte) []byte { return append(dst, text...) }
	return Work{
		Method: "echoBytes",
		Args:   1,
		Arg:    func(dst []byte, _ int, _ uint64) []byte { return value(dst) },
		Result: func(dst []byte, _ uint64) []byte { return value(dst) },
		Kinds:  1,
		Verify: func(raw []byte) error { return verifyBytes(raw, n) },
		Bytes:  len(text) + 200,
		Blob:   blob,
	}
}

// verifyBytes accepts every form that kkrpc gives to bytes: numbers, base64, an object with indexes, and the bytes themselves.
func verifyBytes(raw []byte, n int) error {
	var got []byte
	switch raw[0] {
	case 0: // the first of the bytes
		got = raw
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		if err == nil {
			got, err = base64.StdEncoding.DecodeString(text)
		}
		if err != nil {
			return err
		}
	case '[':
		var numbers []uint16
		if err := json.Unmarshal(raw, &numbers); err != nil {
			return err
		}
		for _, v := range numbers {
			got = append(got, byte(v))
		}
	default:
		var tagged struct{ Data json.RawMessage }
		if err := json.Unmarshal(raw, &tagged); err == nil && tagged.Data != nil {
			return verifyBytes(tagged.Data, n)
		}
		var index map[int]byte
		if err := json.Unmarshal(raw, &index); err != nil {
			return err
		}
		got = make([]byte, len(index))
		for i, v := range index {
			if i >= 0 && i < len(got) {
				got[i] = v
			}
		}
	}
	if len(got) != n {
		return fmt.Errorf("%d bytes, want %d", len(got), n)
	}
	for i, v := range got {
		if v != byte(i) {
			return fmt.Errorf("byte %d is %d", i, v)
		}
	}
	return nil
}

// check compares a result that the fast way did not recognise.
func (w *Work) check(raw []byte, id uint64) error {
	if len(raw) == 0 {
		return fmt.Errorf("call %d of %s has no result", id, w.Method)
	}
	if w.Verify != nil {
		if err := w.Verify(raw); err != nil {
			return fmt.Errorf("call %d of %s: %w", id, w.Method, err)
		}
		return nil
	}
	want := w.Result(nil, id)
	if bytes.Equal(raw, want) {
		return nil
	}
	var a, b any
	if err := json.Unmarshal(raw, &a); err != nil {
		return fmt.Errorf("call %d of %s: %w", id, w.Method, err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		return err
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("call %d of %s got %.200s, want %.200s", id, w.Method, raw, want)
	}
	return nil
}

// appendHex appends the last n hexadecimal digits of v.
func appendHex(dst []byte, v uint64, n int) []byte {
	const digits = "0123456789abcdef"
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, digits[v>>(4*i)&15])
	}
	return dst
}
