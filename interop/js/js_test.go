package js_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

func TestRuntimesRunTypeScriptWithThePackages(t *testing.T) {
	for _, rt := range js.Runtimes {
		t.Run(string(rt), func(t *testing.T) {
			script := filepath.Join(js.TempDir(t, "testdata/hello.ts"), "hello.ts")
			out, err := rt.Command(t, script, "Go").Output()
			if err != nil {
				var exit *exec.ExitError
				if errors.As(err, &exit) {
					t.Logf("%s", exit.Stderr)
				}
				t.Fatal(err)
			}
			const want = "hello Go 1970-01-01T00:00:00.000Z function function\n"
			if string(out) != want {
				t.Errorf("printed %q, want %q", out, want)
			}
		})
	}
}
