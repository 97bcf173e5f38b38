#!/usr/bin/env bash
# A Go program whose goroutines yield, by runtime.Gosched or time.Sleep(1), leaves a socket that has data unread for milliseconds.
#
# One would guess: runtime.Gosched lets others run, so a goroutine whose socket has data gets its turn among those that yield,
# as with an event loop. With 20 goroutines that each compute for 20 µs that is 0.4 ms.
# What happens: the scheduler asks the kernel for ready sockets when no goroutine is ready, and otherwise leaves that to its
# monitor, which asks about every 10 ms. As long as the goroutines yield, one of them is always ready. The same holds if each
# sleeps for a nanosecond: its timer makes it ready at once.
# Versions: Go 1.26.8, linux/amd64, GOMAXPROCS=1. Seen on 2026-11-29.
# Output:
#> runtime.Gosched: read after more than 2 ms: true
#> time.Sleep(1): read after more than 2 ms: true
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=
go mod init finding 2>/dev/null

cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// delay returns how long data waits for the goroutine that reads it, while others compute and yield: the median of nine.
func delay(yield func()) time.Duration {
	var all []time.Duration
	for range 9 {
		all = append(all, once(yield))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func once(yield func()) time.Duration {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	b, err := l.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	var stop atomic.Bool
	var sent, read time.Time
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := b.Read(make([]byte, 1)); err != nil {
			log.Fatal(err)
		}
		read = time.Now()
		stop.Store(true)
	})
	var turns atomic.Int32
	for range 20 {
		all.Go(func() {
			for !stop.Load() {
				for end := time.Now().Add(20 * time.Microsecond); time.Now().Before(end); {
				}
				if turns.Add(1) == 200 {
					sent = time.Now()
					if _, err := a.Write([]byte("x")); err != nil {
						log.Fatal(err)
					}
				}
				yield()
			}
		})
	}
	all.Wait()
	return read.Sub(sent)
}

func main() {
	runtime.GOMAXPROCS(1)
	gosched, sleep := delay(runtime.Gosched), delay(func() { time.Sleep(1) })
	fmt.Fprintln(os.Stderr, runtime.Version(), gosched, sleep)
	fmt.Println("runtime.Gosched: read after more than 2 ms:", gosched > 2*time.Millisecond)
	fmt.Println("time.Sleep(1): read after more than 2 ms:", sleep > 2*time.Millisecond)
}
GO
go run . | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
