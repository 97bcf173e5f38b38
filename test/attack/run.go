package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// plan is what to run.
type plan struct {
	memory        int64
	length        time.Duration
	only, profile string
}

// role is what a child process does, in JSON in the environment.
type role struct {
	Name    string
	Addr    string
	Memory  int64
	Length  time.Duration
	Only    string
	Profile string
	Exact   bool // measure what is live exactly, at the cost of pauses
}

const roleVariable = "KKRPC_ATTACK_ROLE"

var roles = map[string]func(role) error{"server": serve, "attackers": attackUntilStopped, "honest": callHonestly}

// served plays the role that this process has, and reports whether it has one.
func served() bool {
	var r role
	if json.Unmarshal([]byte(os.Getenv(roleVariable)), &r) != nil {
		return false
	}
	if err := roles[r.Name](r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// child is a process with a role.
type child struct {
	cmd  *exec.Cmd
	stop io.Closer
	out  *bufio.Reader
}

// start starts a process of this program. With low, others go first.
func start(r role, low bool) (*child, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(os.Args[0])
	if nice, err := exec.LookPath("nice"); low && err == nil {
		cmd = exec.Command(nice, "-n", "19", os.Args[0])
	}
	cmd.Env = append(os.Environ(), roleVariable+"="+string(text))
	if r.Exact {
		cmd.Env = append(cmd.Env, "GODEBUG=gcstoptheworld=1")
	}
	cmd.Stderr = os.Stderr
	c := &child{cmd: cmd}
	if c.stop, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, cmd.Start()
}

// result waits for what the process prints at its end.
func (c *child) result(v any) error {
	err := json.NewDecoder(c.out).Decode(v)
	return errors.Join(err, c.cmd.Wait())
}

// end stops the process and waits for its result.
func (c *child) end(v any) error {
	_ = c.stop.Close()
	return c.result(v)
}

// kill ends the process if it has not ended.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// server is the process of a server.
type server struct {
	*child
	addr string
}

func (p plan) startServer(exact bool) (*server, error) {
	r := role{Name: "server", Memory: p.memory, Exact: exact}
	if exact {
		r.Profile = p.profile
	}
	c, err := start(r, false)
	if err != nil {
		return nil, err
	}
	addr, err := c.out.ReadString('\n')
	if err != nil {
		c.kill()
		return nil, fmt.Errorf("the server prints no address: %w", err)
	}
	return &server{c, strings.TrimSpace(addr)}, nil
}

func (p plan) run() (r result, err error) {
	r.plan = p
	if len(chosen(p.only)) == 0 {
		return r, fmt.Errorf("no attack has %q in its name", p.only)
	}
	if err := p.measureCalls(&r); err != nil {
		return r, err
	}
	return r, p.measureMemory(&r)
}

// measureCalls attacks a server with honest clients. Another server has honest clients alone.
func (p plan) measureCalls(r *result) error {
	attacked, err := p.startServer(false)
	if err != nil {
		return err
	}
	defer attacked.kill()
	spared, err := p.startServer(false)
	if err != nil {
		return err
	}
	defer spared.kill()
	quiet := min(max(p.length/4, 2*time.Second), 15*time.Second)
	if err := callBoth(quiet, attacked, spared, &r.quiet, new(latencies)); err != nil {
		return err
	}
	attackers, err := start(role{Name: "attackers", Addr: attacked.addr, Only: p.only}, true)
	if err != nil {
		return err
	}
	defer attackers.kill()
	if err := callBoth(p.length, attacked, spared, &r.attacked, &r.spared); err != nil {
		return err
	}
	return errors.Join(attackers.end(&r.attacks), attacked.end(&r.most), spared.end(new(held)))
}

// measureMemory attacks a server whose collector stops it, so that garbage made meanwhile does not pass for live.
func (p plan) measureMemory(r *result) error {
	attacked, err := p.startServer(true)
	if err != nil {
		return err
	}
	defer attacked.kill()
	attackers, err := start(role{Name: "attackers", Addr: attacked.addr, Only: p.only}, true)
	if err != nil {
		return err
	}
	defer attackers.kill()
	if err := callBoth(p.length, attacked, attacked, new(latencies), new(latencies)); err != nil {
		return err
	}
	return errors.Join(attackers.end(new([]done)), attacked.end(&r.exact))
}

// callBoth runs the honest clients of both servers at the same time.
func callBoth(length time.Duration, one, other *server, l, m *latencies) error {
	a, err := start(role{Name: "honest", Addr: one.addr, Length: length}, false)
	if err != nil {
		return err
	}
	defer a.kill()
	b, err := start(role{Name: "honest", Addr: other.addr, Length: length}, false)
	if err != nil {
		return err
	}
	defer b.kill()
	return errors.Join(a.result(l), b.result(m))
}
