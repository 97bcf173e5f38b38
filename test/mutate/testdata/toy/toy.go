// Package toy is what the tests of mutate change.
package toy

// Clamp returns n, or the nearest of low and high if n is outside them.
func Clamp(n, low, high int) int {
	if n < low {
		return low
	}
	if n > high {
		return high
	}
	return n
}

// Untested is called by no test.
func Untested(a, b int) int {
	return a + b
}

// Odd has a constant that is left alone.
func Odd(n int) bool {
	return n%2 == 1 //mutate:skip the test of mutate looks for this
}
