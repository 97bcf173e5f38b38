package host

import (
	"bytes"
	"fmt"
	"os"
	"slices"
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
func Memory(pid int) (int64, error) { return rollup(pid, "Private_Clean", "Private_Dirty") }

// Resident returns the bytes of memory that a process has, with what it shares, such as its program.
func Resident(pid int) (int64, error) { return rollup(pid, "Rss") }

// rollup adds up lines of a process's smaps_rollup.
func rollup(pid int, names ...string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	var total int64
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte{':'})
		if !slices.Contains(names, string(name)) {
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

// Idle returns how long a core has had nothing to do so far. Unlike the other times of /proc/stat, which are guessed from
// what runs at a tick, this one is measured.
func Idle(core int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	// After the name: user, nice, system, idle, iowait and more, in units of 10 ms.
	const unit, idle, iowait = 10 * time.Millisecond, 4, 5
	name := fmt.Sprintf("cpu%d", core)
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) <= iowait || string(words[0]) != name {
			continue
		}
		var total time.Duration
		for _, i := range []int{idle, iowait} {
			n, err := strconv.ParseInt(string(words[i]), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("/proc/stat: %s: %w", name, err)
			}
			total += time.Duration(n) * unit
		}
		return total, nil
	}
	return 0, fmt.Errorf("/proc/stat does not have %s", name)
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
