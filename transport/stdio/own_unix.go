//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package stdio

import (
	"fmt"
	"os"
	"syscall"
)

// takeStandard moves standard input and output to other descriptors, and puts an empty input and standard error in their
// place. A write to a parent that is gone returns an error on the new descriptors. On descriptor 1 the write would end
// the process.
func takeStandard() (in, out *os.File, err error) {
	fail := func(err error) (*os.File, *os.File, error) {
		return nil, nil, fmt.Errorf("stdio: taking over standard input and output: %w", err)
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return fail(err)
	}
	defer nothing.Close()
	if in, err = duplicate(0, "stdin"); err != nil {
		return fail(err)
	}
	if out, err = duplicate(1, "stdout"); err != nil {
		_ = in.Close()
		return fail(err)
	}
	if err = replace(0, int(nothing.Fd())); err == nil {
		err = replace(1, 2)
	}
	if err != nil {
		_ = replace(0, int(in.Fd()))
		_ = in.Close()
		_ = out.Close()
		return fail(err)
	}
	return in, out, nil
}

// takePipes takes the two pipes that the parent has made for the channel. Child processes do not inherit them.
func takePipes() (in, out *os.File, err error) {
	for _, fd := range []int{pipeIn, pipeOut} {
		if !isPipe(fd) {
			return nil, nil, fmt.Errorf("stdio: descriptor %d is no pipe: the parent has to set Options.Pipes, or to make one", fd)
		}
	}
	for _, fd := range []int{pipeIn, pipeOut} {
		syscall.CloseOnExec(fd)
		_ = syscall.SetNonblock(fd, true) // then os.File knows deadlines
	}
	return os.NewFile(pipeIn, "descriptor 3"), os.NewFile(pipeOut, "descriptor 4"), nil
}

// duplicate returns what fd stands for under a number of its own, which child processes do not inherit.
func duplicate(fd int, name string) (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	d, err := syscall.Dup(fd)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	syscall.CloseOnExec(d)
	if isPipe(fd) {
		_ = syscall.SetNonblock(d, true) // then os.File knows deadlines, and no goroutine has to block for us
	}
	return os.NewFile(uintptr(d), name), nil
}

// isPipe reports whether fd is a pipe or socket to the parent alone. All holders of a file share its blocking mode. A
// terminal and standard error must therefore stay blocking.
func isPipe(fd int) bool {
	var own, stderr syscall.Stat_t
	if syscall.Fstat(fd, &own) != nil || syscall.Fstat(2, &stderr) != nil {
		return false
	}
	kind := own.Mode & syscall.S_IFMT
	return (kind == syscall.S_IFIFO || kind == syscall.S_IFSOCK) && (own.Dev != stderr.Dev || own.Ino != stderr.Ino)
}
