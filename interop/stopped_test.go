//go:build unix

package interop_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/interop/js"
)

// stopTime is for how long tests stop a process. A server keeps sessions for 30 s, and the ping of defaults
// comes after 25 s at the earliest.
const stopTime = 20 * time.Second

// TestStoppedGoProcess stops a server or a client by SIGSTOP for 20 s while calls, callbacks and streams are under way. They
// go on, nothing is lost, and nothing runs twice. If pings are frequent, the other side notices, and the session goes on over
// another socket. With the defaults nobody notices.
func TestStoppedGoProcess(t *testing.T) {
	stopEach(t, func(t *testing.T, ping, url string) *exec.Cmd { return goProcess(t, stoppedClient, ping, url) })
}

// TestStoppedNodeProcess is TestStoppedGoProcess with kkrpc 0.2 over npm/client, which has no streams.
func TestStoppedNodeProcess(t *testing.T) {
	have(t, js.Node)
	stopEach(t, func(t *testing.T, ping, url string) *exec.Cmd {
		return js.Node.Command(t, filepath.Join(js.Dir(t), "npm-client-stopped.mjs"), ping, url)
	})
}

// stopEach runs pairs of a server and a client, of which it stops one each. All pairs wait together.
func stopEach(t *testing.T, newClient func(t *testing.T, ping, url string) *exec.Cmd) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	type pair struct {
		ping, name     string
		server, client *talking
		stopped        *talking
	}
	var pairs []pair
	for _, ping := range []string{"1s", "default"} {
		for _, name := range []string{"server", "client"} {
			p := pair{ping: ping, name: name}
			p.server = startTalking(t, goProcess(t, stoppedServer, ping))
			p.client = startTalking(t, newClient(t, ping, p.server.line(t)))
			p.stopped = map[string]*talking{"server": p.server, "client": p.client}[name]
			pairs = append(pairs, p)
		}
	}
	for _, p := range pairs {
		if line := p.client.line(t); line != "going" {
			t.Fatalf("the client says %q", line)
		}
	}
	for _, p := range pairs {
		p.stopped.stop(t)
	}
	time.Sleep(stopTime)
	for _, p := range pairs {
		p.stopped.signal(t, syscall.SIGCONT)
	}
	for _, p := range pairs {
		p.client.end(t) // once it has seen that all goes on
	}
	for _, p := range pairs {
		t.Run(fmt.Sprintf("ping %s, %s stopped", p.ping, p.name), func(t *testing.T) {
			var got workStats
			if err := json.Unmarshal([]byte(p.client.line(t)), &got); err != nil {
				t.Fatal(err)
			}
			p.client.wait(t)
			p.server.end(t)
			p.server.wait(t)
			t.Logf("%+v", got)
			if noticed := got.Resumed > 0; got.Opened != 1 || got.Holds != 1 || noticed != (p.ping != "default") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// goProcess is this test binary in another part.
func goProcess(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	js.EndWithTest(cmd, syscall.SIGKILL)
	return cmd
}

// talking is a process that prints lines, and reads its input to its end.
type talking struct {
	cmd    *exec.Cmd
	in     interface{ Close() error }
	lines  *bufio.Scanner
	stderr *js.Output
}

func startTalking(t *testing.T, cmd *exec.Cmd) *talking {
	t.Helper()
	p := &talking{cmd: cmd, stderr: new(js.Output)}
	cmd.Stderr = p.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	p.lines = bufio.NewScanner(startPiped(t, cmd))
	return p
}

// line is the next line that the process prints.
func (p *talking) line(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("%s has ended: %s", filepath.Base(p.cmd.Path), p.stderr)
	}
	return p.lines.Text()
}

// end closes the input of the process.
func (p *talking) end(t *testing.T) {
	t.Helper()
	if err := p.in.Close(); err != nil {
		t.Error(err)
	}
}

// wait waits for the end of the process.
func (p *talking) wait(t *testing.T) {
	t.Helper()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s: %v: %s", filepath.Base(p.cmd.Path), err, p.stderr)
	}
}

func (p *talking) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// stop stops the process, and returns once it stands still.
func (p *talking) stop(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("not stopped: %v, %v", status, err)
	}
}
