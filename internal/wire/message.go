package wire

import "strconv"

// Reset makes m an empty message of dialect d and keeps its slices for reuse. Parse does it first.
func (m *Message) Reset(d Dialect) {
	*m = Message{Dialect: d, Args: m.Args[:0], IDs: m.IDs[:0]}
}

// SetOutcome gives m its failure, or its value if the failure is falsy, which is as good as absent.
func (m *Message) SetOutcome(value, failure []byte) {
	m.Value, m.Err = value, nil
	if Truthy(failure) {
		m.Value, m.Err = nil, failure
	}
}

// Truthy reports whether raw, a valid JSON value or nil, is true in JavaScript's eyes.
func Truthy(raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	switch raw[0] {
	case 'n', 'f':
		return false
	case '"':
		return len(raw) > 2
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		f, _ := strconv.ParseFloat(string(raw), 64)
		return f != 0
	}
	return true
}
