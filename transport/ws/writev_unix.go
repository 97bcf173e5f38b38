//go:build unix && !linux

package ws

// writeSegments writes as much of segs, none of which is empty, as the kernel takes without waiting.
func writeSegments(fd int, segs [][]byte) (total int, err error) {
	for _, s := range segs {
		n, err := send(fd, s)
		if n > 0 {
			total += n
		}
		if err != nil && total > 0 || err == nil && n < len(s) {
			return total, nil // the next write tells
		}
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}
