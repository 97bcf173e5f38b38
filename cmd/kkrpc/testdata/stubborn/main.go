//go:build unix

// Command stubborn ignores interrupts, and starts a process that does so too. Both hold a lock of the file that is named.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	signal.Ignore(os.Interrupt)
	file, err := os.Create(os.Args[1])
	if err == nil {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	if err == nil {
		sleep := exec.Command("sleep", "3600")
		sleep.ExtraFiles = []*os.File{file}
		err = sleep.Start()
	}
	fmt.Println("started:", err)
	time.Sleep(time.Hour)
	file.Close()
}
