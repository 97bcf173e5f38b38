// Package host starts the servers and reads from the operating system what they cost.
package host

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Process is a child of this program.
type Process struct {
	// Patience is how long Stop waits for the process to end by itself.
	Patience time.Duration

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *tail
	lines  *bufio.Scanner
}

const startTime = 30 * time.Second

// Start starts cmd on a core, or anywhere if core is negative. The process is expected to end when its standard input
// does.
func Start(cmd *exec.Cmd, core int) (*Process, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &Process{Patience: 5 * time.Second, cmd: cmd, stdin: stdin, stderr: new(tail), lines: bufio.NewScanner(stdout)}
	cmd.Stderr = p.stderr
	if err := onCore(core, cmd.Start); err != nil {
		return nil, err
	}
	return p, nil
}

// Ready waits for the process's first line, an object, and decodes it.
func (p *Process) Ready(v any) error { return p.Line(v, startTime) }

// Line waits for the next line of standard output that is an object, and decodes it. If there is none, it stops the
// process.
func (p *Process) Line(v any, wait time.Duration) error {
	timer := time.AfterFunc(wait, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	for p.lines.Scan() {
		if line := p.lines.Bytes(); bytes.HasPrefix(line, []byte("{")) {
			return json.Unmarshal(line, v)
		}
	}
	p.Stop() // so that all of standard error is here
	err := errors.New("ended or said nothing in time")
	if text := p.stderr.String(); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return err
}

// Ask writes a line to the process's standard input, and decodes the next line of its standard output that is an object.
func (p *Process) Ask(line string, v any, wait time.Duration) error {
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		return err
	}
	return p.Line(v, wait)
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop ends the process, forcibly if it does not want to.
func (p *Process) Stop() {
	p.stdin.Close()
	timer := time.AfterFunc(p.Patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait() // how it ends does not matter any more
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 2000

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}

// Self is this process.
func Self() int { return os.Getpid() }
