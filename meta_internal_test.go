package kkrpc

import (
	"encoding/json"
	"math"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzTimeoutIn compares with what encoding/json finds: like JavaScript, it takes the last of two members with one name.
func FuzzTimeoutIn(f *testing.F) {
	for _, seed := range []string{`{}`, `{"timeout":5}`, `{"timeout":0.001,"a":[{"timeout":1}]}`, `{"\u0074imeout":1e3}`, `{"timeout":1,"timeout":"2"}`,
		`{"timeout":-0}`, `{"timeout":1e400}`, `{ "timeout" : 31536000000 }`, `{"timeout":31536000001}`, `{"timeout"`, `[]`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := timeoutIn(raw)
		if got < 0 || got > maxTimeout {
			t.Fatalf("%v", got)
		}
		var members map[string]json.RawMessage
		if !utf8.Valid(raw) || !json.Valid(raw) || json.Unmarshal(raw, &members) != nil {
			return // of a message that was parsed, so this is only about not failing
		}
		var ms float64
		if json.Unmarshal(members["timeout"], &ms) != nil || !(ms > 0) || ms > float64(maxTimeout/time.Millisecond) {
			ms = 0
		}
		if want := time.Duration(math.Ceil(ms * 1e6)); got != want {
			t.Errorf("%s: got %v, want %v", raw, got, want)
		}
	})
}
