package main

import (
	"io"
	"os/exec"
	"time"
)

// child is a program that runs in a process group of its own.
type child struct {
	file  string // that it was started from
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended and nothing of its group is left
}

// startChild starts the program in a file. It reads nothing from the standard input.
func startChild(file string, args []string, stdout, stderr io.Writer) (*child, error) {
	c := &child{file: file, cmd: exec.Command(file, args...), ended: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = stdout, stderr
	c.cmd.WaitDelay = 100 * time.Millisecond // for processes that it has left and that have its output
	setGroup(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the process
		_ = c.cmd.Wait() // ProcessState says how it ended
		killRest(c.cmd.Process)
		close(c.ended)
	}()
	return c, nil
}

// stop interrupts the program, waits until it has ended, and kills it after timeout. Where there is no interrupt, it
// kills at once.
func (c *child) stop(timeout time.Duration) (killed bool) {
	if !interruptGroup(c.cmd.Process) {
		timeout = 0
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.ended:
		return false
	case <-timer.C:
	}
	killGroup(c.cmd.Process)
	<-c.ended
	return true
}

// status says how it has ended, such as exit status 1.
func (c *child) status() string { return c.cmd.ProcessState.String() }
