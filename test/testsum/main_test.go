package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const passing = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:3: not here\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`

const failing = `{"Action":"output","Package":"q","Test":"TestA","Output":"    a_test.go:3: wrong\n"}
{"Action":"fail","Package":"q","Test":"TestA"}
{"Action":"output","Package":"q","Output":"FAIL\n"}
{"Action":"output","Package":"q","Output":"FAIL\tq\t0.1s\n"}
{"Action":"fail","Package":"q"}
`

const died = `{"Action":"output","Package":"d","Test":"TestA","Output":"panic: boom\n"}
{"Action":"output","Package":"d","Output":"FAIL\td\t0.1s\n"}
{"Action":"fail","Package":"d"}
`

const unbuilt = `{"ImportPath":"u","Action":"build-output","Output":"u.go:1: syntax error\n"}
{"ImportPath":"u","Action":"build-fail"}
{"Action":"output","Package":"u","Output":"FAIL\tu [build failed]\n"}
{"Action":"fail","Package":"u","FailedBuild":"u"}
`

func TestSummary(t *testing.T) {
	tests := []struct {
		name, in, want string
		fails          bool
	}{
		{"passing tests are one line", passing, "ok  \tp\t0.1s\n1 passed, 0 failed, 1 skipped\n", false},
		{"a failing test prints its output", failing, "    a_test.go:3: wrong\nFAIL\tq\t0.1s\n0 passed, 1 failed, 0 skipped\n", true},
		{"a dead process counts and prints", died, "FAIL\td\t0.1s\npanic: boom\n0 passed, 1 failed, 0 skipped\n", true},
		{"a build failure counts and prints", unbuilt, "u.go:1: syntax error\nFAIL\tu [build failed]\n0 passed, 1 failed, 0 skipped\n", true},
		{"no output is no success", "", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := run(strings.NewReader(tt.in), &out, "", false)
			if (err != nil) != tt.fails {
				t.Errorf("error %v, want one: %t", err, tt.fails)
			}
			if got := out.String(); got != tt.want {
				t.Errorf("printed\n%s\nwant\n%s", &out, tt.want)
			}
		})
	}
}

func TestTotalCountsATestOnce(t *testing.T) {
	record := filepath.Join(t.TempDir(), "record")
	var out strings.Builder
	later := strings.ReplaceAll(passing, `"skip"`, `"pass"`)
	for _, in := range []string{passing, later, passing} {
		if err := run(strings.NewReader(in), &out, record, false); err != nil {
			t.Fatal(err)
		}
	}
	out.Reset()
	if err := run(nil, &out, record, true); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "2 passed, 0 failed, 0 skipped\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	_ = run(strings.NewReader(failing), &out, record, false)
	out.Reset()
	if err := run(nil, &out, record, true); err == nil || out.String() != "2 passed, 1 failed, 0 skipped\n" {
		t.Errorf("after a failure: printed %q, error %v", &out, err)
	}
}
