//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// untilHangup returns a ctx that also ends when the terminal closes. A program in its own group would go on.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}

// setGroup makes a process group for the command and for all that it starts.
func setGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interruptGroup does what Ctrl-C in a terminal does.
func interruptGroup(p *os.Process) bool {
	_ = syscall.Kill(-p.Pid, syscall.SIGINT) // fails if none is left
	return true
}

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) } // fails if none is left

// killRest is killGroup once p itself has ended.
func killRest(p *os.Process) { killGroup(p) }
