package host

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Cores returns two cores that this process may use, for the servers and for the generator, or ok false.
func Cores() (server, generator int, ok bool) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil || set.Count() < 2 {
		return -1, -1, false
	}
	var cores []int
	for i := 0; len(cores) < 2; i++ {
		if set.IsSet(i) {
			cores = append(cores, i)
		}
	}
	return cores[0], cores[1], true
}

// Pin keeps all threads of this process on a core. Threads that it starts later inherit that.
func Pin(core int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			return err
		}
		if err := setAffinity(tid, core); err != nil {
			return fmt.Errorf("keeping a thread on core %d: %w", core, err)
		}
	}
	runtime.GOMAXPROCS(1)
	return nil
}

func setAffinity(tid, core int) error {
	var set unix.CPUSet
	set.Set(core)
	return unix.SchedSetaffinity(tid, &set)
}

// onCore calls start on a thread that is on a core: what it starts inherits that. While a goroutine is locked to its
// thread, Go starts no thread from it, so that nothing else does.
func onCore(core int, start func() error) error {
	if core < 0 {
		return start()
	}
	runtime.LockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	if err := setAffinity(0, core); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err := start()
	if restore := unix.SchedSetaffinity(0, &before); restore != nil {
		return restore // the thread stays locked and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}
