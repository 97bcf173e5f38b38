package host_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/host"
)

// TestMain is the child of the tests if it is started as one.
func TestMain(m *testing.M) {
	switch os.Getenv("HOST_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "good":
		for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
		}
		fmt.Println("something else")
		fmt.Println(`{"addr":"here"}`)
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Printf("{\"addr\":%q}\n", lines.Text())
		}
	case "bad":
		fmt.Fprintln(os.Stderr, "no such luck")
		os.Exit(1)
	}
}

func start(t *testing.T, kind string) *host.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HOST_TEST_CHILD="+kind)
	core := -1
	if server, _, ok := host.Cores(); ok {
		core = server
	}
	p, err := host.Start(cmd, core)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProcess(t *testing.T) {
	p := start(t, "good")
	var line struct{ Addr string }
	if err := p.Ready(&line); err != nil || line.Addr != "here" {
		t.Errorf("ready with %q, %v", line.Addr, err)
	}
	if used, err := host.CPU(p.PID()); err != nil || used < time.Millisecond || used > 20*time.Second {
		t.Errorf("processor time %v, %v", used, err)
	}
	if size, err := host.Memory(p.PID()); err != nil || size < 100<<10 || size > 1<<30 {
		t.Errorf("memory %d, %v", size, err)
	}
	if private, err := host.Memory(p.PID()); err != nil {
		t.Error(err)
	} else if size, err := host.Resident(p.PID()); err != nil || size < private/2 || size > 1<<30 {
		t.Errorf("resident memory %d, of which %d is its own, %v", size, private, err)
	}
	if err := p.Ask("there", &line, 10*time.Second); err != nil || line.Addr != "there" {
		t.Errorf("asked for another address it says %q, %v", line.Addr, err)
	}
	p.Stop()
	if _, err := host.CPU(p.PID()); err == nil {
		t.Error("the process is still there after Stop")
	}
}

func TestProcessThatFails(t *testing.T) {
	p := start(t, "bad")
	defer p.Stop()
	var line struct{}
	if err := p.Ready(&line); err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("error %v", err)
	}
}

// TestIdle asks for a core that exists and for one that does not.
func TestIdle(t *testing.T) {
	core, _, ok := host.Cores()
	if !ok {
		t.Skip("processes are not kept on cores here")
	}
	before, err := host.Idle(core)
	if err != nil {
		t.Fatal(err)
	}
	if before <= 0 {
		t.Errorf("core %d has been idle for %v", core, before)
	}
	if _, err := host.Idle(1 << 20); err == nil {
		t.Error("a core that does not exist has a time")
	}
}
