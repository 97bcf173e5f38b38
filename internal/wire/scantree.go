package wire

import (
	"encoding/binary"
	"math/bits"
)

// skipTree passes over an object or array and all that is in it. It does what skipValue does at each value, without a
// call for those that most messages consist of: names and short strings, integers, objects and arrays.
func (s *Scanner) skipTree() error {
	const most = 64
	text, i := s.text, s.pos
	objects, open := uint64(0), 0 // what is open inside of each other; the lowest bit tells whether the innermost is an object
	for {
		// A value comes next.
		i = behindSpace(text, i)
		c := byte(0)
		if i < len(text) {
			c = text[i]
		}
		switch {
		case c == '"':
			var err error
			if i, err = s.behindString(i); err != nil {
				return err
			}
		case (c == '{' || c == '[') && open < most && s.depth+open < s.max:
			objects <<= 1
			open++
			i = behindSpace(text, i+1)
			switch {
			case i < len(text) && text[i] == c+2: // its counterpart: it is empty
				i++
				objects >>= 1
				open--
			case c == '[':
				continue
			default:
				objects |= 1
				var err error
				if i, err = s.behindName(i); err != nil {
					return err
				}
				continue
			}
		default:
			if n := behindNumber(text, i); n > i {
				i = n
				break
			}
			s.pos = i
			s.depth += open
			if err := s.skipValue(); err != nil {
				return err
			}
			s.depth -= open
			i = s.pos
		}
		// A value has ended, and what is behind it may end what it is in.
		for {
			if open == 0 {
				s.pos = i
				return nil
			}
			i = behindSpace(text, i)
			if i == len(text) {
				s.pos = i
				return s.unexpected()
			}
			if text[i] == ',' {
				i++
				break
			}
			if text[i] != "]}"[objects&1] {
				s.pos = i
				return s.unexpected()
			}
			i++
			objects >>= 1
			open--
		}
		if objects&1 == 1 {
			var err error
			if i, err = s.behindName(behindSpace(text, i)); err != nil {
				return err
			}
		}
	}
}

// behindSpace returns the index of the first byte from i on that is no white space.
func behindSpace(text []byte, i int) int {
	for i < len(text) && text[i] <= ' ' && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
		i++
	}
	return i
}

// behindNumber returns the index behind the number at i if it has digits and perhaps a fraction, and else i.
func behindNumber(text []byte, i int) int {
	if i == len(text) || text[i]-'1' > 8 {
		return i
	}
	n := digitsEnd(text, i)
	if n < len(text) && text[n] == '.' {
		point := n
		if n = digitsEnd(text, n+1); n == point+1 {
			return i
		}
	}
	if n == len(text) || text[n]|0x20 == 'e' {
		return i
	}
	return n
}

// digitsEnd returns the index of the first byte from i on that is no digit.
func digitsEnd(text []byte, i int) int {
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	return i
}

// behindName passes over the name of a member, which is to begin at i, and the colon.
func (s *Scanner) behindName(i int) (_ int, err error) {
	if i == len(s.text) || s.text[i] != '"' {
		s.pos = i
		return i, s.unexpected()
	}
	if i, err = s.behindString(i); err != nil {
		return i, err
	}
	if i = behindSpace(s.text, i); i == len(s.text) || s.text[i] != ':' {
		s.pos = i
		return i, s.unexpected()
	}
	return i + 1, nil
}

// behindString passes over the string that begins at i. It leaves long ones, and those with escapes, to skipString.
func (s *Scanner) behindString(i int) (int, error) {
	text := s.text
	for j, end := i+1, min(i+1+shortString, len(text)); j+8 <= end; j += 8 {
		w := binary.LittleEndian.Uint64(text[j:])
		m := ((w - spacesPerWord) | ((w ^ quotesPerWord) - lowBits) | ((w ^ slashesPerWord) - lowBits)) & ^w & highBits
		if m == 0 {
			continue
		}
		if j += bits.TrailingZeros64(m) / 8; text[j] == '"' {
			return j + 1, nil
		}
		break
	}
	s.pos = i
	_, err := s.skipString()
	return s.pos, err
}
