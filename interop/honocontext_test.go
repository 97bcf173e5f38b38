package interop_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// Who comes from kkrpc's own handler gives ours what that takes: it says what belongs there.
func TestHandlerWantsTheContext(t *testing.T) {
	host, err := filepath.Abs("../npm/host.mjs")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "handler.mjs")
	text := `import { createHost } from "` + filepath.ToSlash(host) + `"
createHost(() => {}).handler({ expose: { greet: () => "Hello!" }, serialization: { version: "superjson" } })
`
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := js.Node.Command(t, script).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "TypeError: createHonoWebSocketHandler takes Hono's context") || !strings.Contains(string(out), "wasm.Serve") {
		t.Errorf("%v: %s", err, out)
	}
}
