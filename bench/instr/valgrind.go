package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// A case is counted with so many requests and with more of them; the difference leaves out how the program starts. In
// few all buffers reach their sizes.
const (
	few  = 1_000
	many = 6_000
)

// count returns the instructions for one request.
func (c *testCase) count(valgrind string) (int64, error) {
	a, err := instructions(valgrind, c.name, few)
	if err != nil {
		return 0, err
	}
	b, err := instructions(valgrind, c.name, many)
	if err != nil {
		return 0, err
	}
	return (b - a) / (many - few), nil
}

var counted = regexp.MustCompile(`I +refs: +([0-9,]+)`)

// instructions counts those of this program while it does the work of a case n times. Cachegrind does not follow the
// calls of functions, which a program with many stacks would confuse.
func instructions(valgrind, name string, n int) (int64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
		self, "-case", name, "-n", strconv.Itoa(n))
	// One goroutine at a time, and nothing that depends on how long it takes. Valgrind 3.19 does not know RDTSCP, which the
	// runtime uses when threads contend for a lock.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1,cpu.rdtscp=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, lastLines(string(out), 5))
	}
	match := counted.FindSubmatch(out)
	if match == nil {
		return 0, errors.New("valgrind does not say how many instructions: " + lastLines(string(out), 5))
	}
	return strconv.ParseInt(strings.ReplaceAll(string(match[1]), ",", ""), 10, 64)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
