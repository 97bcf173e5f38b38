package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the processor time that a process has used so far, in all its threads, those that have ended too.
func CPU(pid int) (time.Duration, error) {
	// The clock of another process, as clock_getcpuclockid(3) makes its number. It has nanoseconds; /proc/PID/stat counts
	// ticks of 10 ms.
	const sched = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|sched, &ts); err != nil {
		return 0, fmt.Errorf("the processor time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Memory returns the bytes of memory that only this process uses, without what it shares, such as its program.
func Memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	var total int64
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte{':'})
		if string(name) != "Private_Clean" && string(name) != "Private_Dirty" {
			continue
		}
		kb, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
		if err != nil {
			return 0, err
		}
		total += kb << 10
	}
	return total, nil
}

// Waited returns how long the threads of a process, those that still run, have been ready to run while something else
// had their core.
func Waited(pid int) time.Duration {
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0
	}
	var total time.Duration
	for _, name := range names {
		// A thread may have ended, and not every kernel counts this.
		text, err := os.ReadFile(name)
		if fields := bytes.Fields(text); err == nil && len(fields) == 3 {
			ns, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			total += time.Duration(ns)
		}
	}
	return total
}

// Processor is what the processor calls itself.
func Processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it the name is missing, which does no harm
	for line := range bytes.Lines(text) {
		if name, value, ok := bytes.Cut(line, []byte{':'}); ok && string(bytes.TrimSpace(name)) == "model name" {
			return string(bytes.TrimSpace(value))
		}
	}
	return "an unknown processor"
}
