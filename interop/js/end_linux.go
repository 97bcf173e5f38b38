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

// inGroup has a process, which has not been started, lead a group. kill ends it with all that it has started.
func inGroup(cmd *exec.Cmd) (kill func()) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	return func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
