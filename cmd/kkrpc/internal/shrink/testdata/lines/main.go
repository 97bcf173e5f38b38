// Command lines prints where its own functions are, and those of package slices that have called it.
package main

import (
	"fmt"
	"path"
	"runtime"
	"slices"
)

type list struct{ calls }

type calls struct{ n int }

func (c *calls) compare(a, b int) int {
	if c.n++; c.n == 1 {
		callers := make([]uintptr, 16)
		frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
		for frame, more := frames.Next(); more; frame, more = frames.Next() {
			fmt.Println(frame.Function, path.Base(frame.File), frame.Line)
		}
	}
	return a - b
}

func main() {
	var l list
	slices.SortFunc([]int{2, 1}, func(a, b int) int { return l.compare(a, b) })
}
