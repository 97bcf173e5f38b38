package interop_test

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/seen"
)

// have skips a test whose runtime is missing, which the table of runtimes then says.
func have(t *testing.T, rt js.Runtime) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a JavaScript runtime: not under -short")
	}
	if _, err := rt.Version(); err != nil {
		addRow(t, seen.Row{Runtime: string(rt), Missing: err.Error()})
	}
	rt.Path(t)
}

// saw keeps how many checks a runtime passed and failed, for the table of runtimes. The version is that of the kkrpc on one
// side. It is the last thing that a test does, since whatever else the test found fails the cell of the table too.
func saw(t *testing.T, rt js.Runtime, direction seen.Direction, version, codec string, passed, failed int) {
	t.Helper()
	protocol := "classic"
	if version == "compact" || version == "2.1.0" {
		protocol = "compact"
	}
	runtimeVersion, err := rt.Version()
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		failed = max(failed, 1)
	}
	addRow(t, seen.Row{
		Runtime: string(rt), Version: runtimeVersion, Direction: direction, Protocol: protocol, Codec: codec,
		Passed: passed, Failed: failed,
	})
}

func addRow(t *testing.T, row seen.Row) {
	t.Helper()
	if err := seen.Add(row); err != nil {
		t.Fatal(err)
	}
}
