//go:build unix

package host

import "golang.org/x/sys/unix"

// MaxFiles raises how many files this process and its children may have open as far as it may, and returns that.
func MaxFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	if limit.Cur < limit.Max {
		raised := limit
		raised.Cur = limit.Max
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return int(min(uint64(limit.Cur), 1<<30))
}
