//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package stdio

import (
	"os"
	"syscall"
)

// replace makes fd stand for what by stands for.
func replace(fd, by int) error { return os.NewSyscallError("dup2", syscall.Dup2(by, fd)) }
