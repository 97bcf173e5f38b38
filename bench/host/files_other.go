//go:build !unix

package host

// MaxFiles returns how many files a process may have open: here there is no limit to speak of.
func MaxFiles() int { return 1 << 30 }
