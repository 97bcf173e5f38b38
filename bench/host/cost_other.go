//go:build !linux

package host

import (
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/process"
)

// CPU returns the processor time that a process has used so far, in all its threads, as exactly as the system counts it.
func CPU(pid int) (time.Duration, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	times, err := p.Times()
	if err != nil {
		return 0, fmt.Errorf("the processor time of process %d: %w", pid, err)
	}
	return time.Duration((times.User + times.System) * float64(time.Second)), nil
}

// Memory returns what Resident does.
func Memory(pid int) (int64, error) { return Resident(pid) }

// Resident returns the bytes of memory that a process has, with what it shares, such as its program.
func Resident(pid int) (int64, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	info, err := p.MemoryInfo()
	if err != nil {
		return 0, fmt.Errorf("the memory of process %d: %w", pid, err)
	}
	return int64(info.RSS), nil
}

// Idle returns 0: nothing is kept on a core here.
func Idle(int) (time.Duration, error) { return 0, nil }

// Processor is what the processor calls itself.
func Processor() string {
	if info, err := cpu.Info(); err == nil && len(info) > 0 {
		return info[0].ModelName
	}
	return "an unknown processor"
}
