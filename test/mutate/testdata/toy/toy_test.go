package toy

import "testing"

func TestClamp(t *testing.T) {
	for _, row := range [][4]int{{5, 1, 9, 5}, {0, 1, 9, 1}, {10, 1, 9, 9}} {
		if got := Clamp(row[0], row[1], row[2]); got != row[3] {
			t.Errorf("Clamp(%v) = %d, want %d", row[:3], got, row[3])
		}
	}
}

func TestLow(t *testing.T) {
	if got := Clamp(0, 1, 9); got != 1 {
		t.Errorf("Clamp(0, 1, 9) = %d, want 1", got)
	}
}
