//go:build !linux

package js

import (
	"os/exec"
	"syscall"
)

// EndWithTest does nothing here; see the one for Linux.
func EndWithTest(*exec.Cmd, syscall.Signal) {}

// inGroup has kill end a process that leads no group here; see the one for Linux.
func inGroup(cmd *exec.Cmd) (kill func()) { return func() { _ = cmd.Process.Signal(syscall.SIGTERM) } }
