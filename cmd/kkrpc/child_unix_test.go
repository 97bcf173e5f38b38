//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestDevKills has a program that ignores the interrupt, and has started another one that does so.
func TestDevKills(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program")
	}
	lock := filepath.Join(t.TempDir(), "lock")
	chdirToCopy(t, "testdata/stubborn")
	ctx, interrupt := context.WithCancel(t.Context())
	d := startDev(t, ctx, ".", "--stop-timeout", "50ms", "--", lock)
	d.stdout.await(t, "^started: <nil>$")
	interrupt()
	d.stderr.await(t, `^server killed: it had not ended 50ms after the interrupt$`)
	if code := <-d.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	file, err := os.Open(lock)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Errorf("a process was left: %v", err)
	}
}
