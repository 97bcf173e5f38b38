// Command recovers prints which deferred calls end a panic. Go's recover does so only in the deferred function itself, so it
// counts the calls between, also those that the compiler has inlined.
package main

import "fmt"

//go:noinline
func ends(int) any { return recover() }

func passes(n int) { _ = ends(n) } // is inlined

type ender struct{ n int }

//go:noinline
func (e *ender) ends() any { return recover() }

func (e *ender) passes() { _ = e.ends() } // is inlined

type outer struct{ ender }

func main() {
	for _, test := range []struct {
		name string
		f    func()
	}{
		{"the function", func() { defer ends(1); panic("") }},
		{"a function that it calls", func() { defer passes(1); panic("") }},
		{"a method", func() { defer (&ender{}).ends(); panic("") }},
		{"a method that it calls", func() { defer (&ender{}).passes(); panic("") }},
		{"a promoted method", func() { defer (&outer{}).ends(); panic("") }},
		{"a method that a promoted one calls", func() { defer (&outer{}).passes(); panic("") }},
		{"a literal", func() { defer func() { _ = recover() }(); panic("") }},
		{"a function that a literal calls", func() { defer func() { passes(1) }(); panic("") }},
	} {
		fmt.Println(test.name, ended(test.f))
	}
}

func ended(f func()) (yes bool) {
	yes = true
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	f()
	return yes
}
