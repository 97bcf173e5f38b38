package interop_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/interop/check"
	"github.com/kkrpc-go/kkrpc/internal/js"
)

// bundle is the conformance API as `kkrpc build hono` builds it for a runtime, once for all tests.
type bundle struct {
	once sync.Once
	dir  string
	err  error
}

type bundleKey struct {
	rt        js.Runtime
	errorText bool
}

var bundles sync.Map // bundleKey to *bundle

// bundleFor returns the folder, which has the npm packages beside it.
func bundleFor(t *testing.T, key bundleKey) (dir string) {
	t.Helper()
	modules := filepath.Join(js.Dir(t), "node_modules")
	v, _ := bundles.LoadOrStore(key, new(bundle))
	b := v.(*bundle)
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "kkrpc-hono-"); b.err != nil {
			return
		}
		args := []string{"run", "../../cmd/kkrpc", "build", "hono", "./wasmserver", "--runtime", string(key.rt), "-o", b.dir}
		if key.errorText {
			args = append(args, "--tags", "errortext")
		}
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			b.err = fmt.Errorf("%w\n%s", err, out)
			return
		}
		b.err = os.Symlink(modules, filepath.Join(b.dir, "node_modules"))
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.dir
}

// TestMain removes what bundleFor has made.
func TestMain(m *testing.M) {
	code := m.Run()
	for _, v := range bundles.Range {
		os.RemoveAll(v.(*bundle).dir)
	}
	os.Exit(code)
}

// honoServer starts the conformance API, compiled to WebAssembly, in Hono in a runtime until the test ends.
func honoServer(t *testing.T, rt js.Runtime, errorText bool) (url string) {
	t.Helper()
	dir := bundleFor(t, bundleKey{rt, errorText})
	cmd := rt.Command(t, filepath.Join(dir, "server.mjs"))
	cmd.Env = append(cmd.Env, "PORT=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", stderr.Bytes())
		}
	})
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	_, url, found := strings.Cut(strings.TrimSpace(line), "serving ")
	if err != nil || !found {
		t.Fatalf("the server printed %q (%v), not its URL", line, err)
	}
	reading.Go(func() { _, _ = io.Copy(io.Discard, lines) }) // ends with the server
	return url
}

// TestKkrpcClientOfGoInHono has the real client call Go that runs inside Hono.
func TestKkrpcClientOfGoInHono(t *testing.T) {
	each(t, func(t *testing.T, rt js.Runtime, codec string) {
		t.Parallel()
		url := honoServer(t, rt, true)
		p := peer{version: "0.2.2", channel: check.Base, codec: codec}
		cmd := p.command(t, js.Node, "client.mjs", url)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		passed, failed := readResults(t, out)
		t.Logf("%d checks passed, %d failed", passed, failed)
		if t.Failed() || err != nil {
			t.Errorf("the client ended with %v and said:\n%s", err, stderr.Bytes())
		}
	})
}

// TestGoClientOfGoInHono has the Go client make every check in every dialect.
func TestGoClientOfGoInHono(t *testing.T) {
	for _, rt := range js.Runtimes {
		for _, version := range []string{"0.7.0", "2.1.0"} {
			for _, codec := range codecs {
				t.Run(fmt.Sprintf("%s/%s/%s", rt, version, codec), func(t *testing.T) {
					t.Parallel()
					p := peer{version: version, channel: check.All, codec: codec}
					runChecks(t, check.Config{URL: honoServer(t, rt, false), Peer: version, Channel: check.All, Dialect: p.dialect(t)})
				})
			}
		}
	}
}
