package reminders

import (
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestTypeScriptClient(t *testing.T) {
	server := httptest.NewServer(ws.Handler(API(), nil))
	defer server.Close()
	url := "ws" + strings.TrimPrefix(server.URL, "http")
	client := exec.CommandContext(t.Context(), "node", "--import", "tsx", "client.mts", url)
	client.Dir = packages(t, "client.mts")
	out, err := client.CombinedOutput()
	if want := "Hello, Ada!\ntrue\n"; err != nil || string(out) != want {
		t.Errorf("%v, it printed %q, want %q", err, out, want)
	}
}
