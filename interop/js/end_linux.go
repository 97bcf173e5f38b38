package js

import (
	"os/exec"
	"syscall"
)

// EndWithTest has a process get a signal when the test binary ends in a way that runs no cleanups: killed, out of time,
// or with a panic. Only Linux can; elsewhere the process stays.
func EndWithTest(cmd *exec.Cmd, signal syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = signal
}
