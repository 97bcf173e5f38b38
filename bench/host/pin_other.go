//go:build !linux

package host

// Cores returns ok false: this system cannot keep processes on cores.
func Cores() (server, generator int, ok bool) { return -1, -1, false }

// Pin does nothing here.
func Pin(int) error { return nil }

func onCore(_ int, start func() error) error { return start() }
