//go:build !unix

package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
)

// untilHangup returns ctx: elsewhere a terminal that closes ends its programs.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }

func setGroup(*exec.Cmd) {}

// interruptGroup reports that there is no interrupt: on Windows, it would reach kkrpc itself too.
func interruptGroup(*os.Process) bool { return false }

// killGroup ends a process with those that it has started.
func killGroup(p *os.Process) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run() // fails if it has ended
	_ = p.Kill()
}

// killRest does nothing: once p has ended, nobody knows which processes were its own.
func killRest(*os.Process) {}
