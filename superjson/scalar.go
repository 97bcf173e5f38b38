package superjson

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc/internal/verbatim"
)

const (
	maxSafeInteger  = 1<<53 - 1
	maxWholeFloat32 = 1 << 24               // a float32 holds every integer up to here
	maxDateMillis   = 8_640_000_000_000_000 // what a JavaScript Date can hold either side of 1970
	// maxBigDigits bounds the time that reading a large number takes, which grows with the square of its length.
	maxBigDigits = 16384
)

// appendString quotes s as JSON.stringify does. Invalid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	if isPlain(s) {
		start, size := len(dst), len(s)+2
		if cap(dst)-start < size {
			dst = slices.Grow(dst, size)
		}
		dst = dst[:start+size]
		dst[start], dst[len(dst)-1] = '"', '"'
		copy(dst[start+1:], s)
		return dst
	}
	dst, _ = jsontext.AppendQuote(dst, s) // the error only tells of the replacement
	return dst
}

// isPlain reports whether s stands for itself in a JSON string.
func isPlain[S string | []byte](s S) bool { return verbatim.InString(s) }

// appendFloat writes a finite number as JavaScript does.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if f == 0 {
		return append(dst, '0') // -0 too
	}
	whole := int64(maxSafeInteger)
	if bits == 32 {
		whole = maxWholeFloat32 // the shortest text of what is beyond may end in zeros
	}
	if n := int64(f); float64(n) == f && -whole <= n && n <= whole {
		return strconv.AppendInt(dst, n, 10) // in a tenth of the time
	}
	abs := math.Abs(f)
	if bits == 64 && abs < maxHundredths {
		if n := math.Round(f * 100); n/100 == f {
			return appendHundredths(dst, int64(n))
		}
	}
	if bits == 64 && (abs < 1e-6 || abs >= 1e21) || bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
		dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
		// Go writes at least two exponent digits.
		if n := len(dst); dst[n-4] == 'e' && dst[n-2] == '0' {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
		return dst
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits)
}

// maxHundredths bounds numbers whose hundredths have at most 15 digits. Two texts of so few digits are never the same
// number, so the one found is the shortest.
const maxHundredths = 1e13

// appendHundredths writes n/100, which is no integer, as prices are. It takes a fifth of the time that strconv takes.
func appendHundredths(dst []byte, n int64) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = append(strconv.AppendInt(dst, n/100, 10), '.', byte('0'+n/10%10))
	if n%10 > 0 {
		dst = append(dst, byte('0'+n%10))
	}
	return dst
}

// appendNumber writes a json.Number as it is. The empty one is 0, as in encoding/json. Beyond 2^53, where JavaScript's
// numbers leave out integers, it must be no integer by its form, and JavaScript must print the same number.
func appendNumber(dst []byte, text string) ([]byte, error) {
	if text == "" {
		text = "0"
	}
	if !isNumberText([]byte(text)) {
		return dst, &EncodeError{Reason: "a json.Number is no number: " + strconv.Quote(shortPath(text))}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > maxSafeInteger && (!strings.ContainsAny(text, ".eE") || !prints(f, text)) {
		return dst, unsafeInteger(shortPath(text))
	}
	return append(dst, text...), nil
}

// prints reports whether the shortest text of f, which JavaScript prints, has the value of text. f is not 0, and the number
// that is nearest to text. So the two texts have one value if they have the same digits.
func prints(f float64, text string) bool {
	return len(text) <= maxBigDigits && digits(text) == digits(strconv.FormatFloat(f, 'e', -1, 64))
}

// digits returns the digits of a number in JSON, without the zeros around them.
func digits(text string) string {
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	return strings.Trim(strings.Replace(strings.TrimPrefix(mantissa, "-"), ".", "", 1), "0")
}

// specialNumber is how superjson writes a number that JSON lacks, or "".
func specialNumber(f float64) string {
	switch {
	case f != f:
		return "NaN"
	case f > math.MaxFloat64:
		return "Infinity"
	case f < -math.MaxFloat64:
		return "-Infinity"
	case f == 0 && math.Signbit(f):
		return "-0"
	}
	return ""
}

func parseSpecialNumber(s string) (float64, bool) {
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	case "-0":
		return math.Copysign(0, -1), true
	}
	return 0, false
}

// appendDate writes the quoted toISOString form; false when a JavaScript Date cannot hold t.
func appendDate(dst []byte, t time.Time) ([]byte, bool) {
	ms := t.UnixMilli()
	if year := t.Year(); year < -300_000 || year > 300_000 || ms < -maxDateMillis || ms > maxDateMillis {
		return dst, false
	}
	t = time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(dst, '"')
	place := 1000
	if year < 0 || year > 9999 {
		sign := byte('+')
		if year < 0 {
			sign, year = '-', -year
		}
		dst, place = append(dst, sign), 100_000
	}
	dst = appendPadded(dst, year, place)
	dst = appendPadded(append(dst, '-'), int(month), 10)
	dst = appendPadded(append(dst, '-'), day, 10)
	dst = appendPadded(append(dst, 'T'), hour, 10)
	dst = appendPadded(append(dst, ':'), minute, 10)
	dst = appendPadded(append(dst, ':'), second, 10)
	dst = appendPadded(append(dst, '.'), t.Nanosecond()/1e6, 100)
	return append(dst, 'Z', '"'), true
}

// appendPadded writes n with a digit for each power of ten from place down.
func appendPadded(dst []byte, n, place int) []byte {
	for ; place > 0; place /= 10 {
		dst = append(dst, byte('0'+n/place%10))
	}
	return dst
}

// parseDate reads the forms of ECMAScript's date time string that name a zone, and dates alone.
func parseDate(s string) (time.Time, bool) {
	year, extended := 0, false
	if len(s) > 7 && (s[0] == '+' || s[0] == '-') {
		n, err := strconv.ParseUint(s[1:7], 10, 32)
		if err != nil || s[0] == '-' && n == 0 {
			return time.Time{}, false
		}
		year, extended = int(n), true
		if s[0] == '-' {
			year = -year
		}
		// The calendar repeats every 400 years.
		s = strconv.Itoa(2000+((year%400)+400)%400) + s[7:]
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		if t, err = time.Parse("2006-01-02", s); err != nil {
			return time.Time{}, false
		}
	}
	if extended {
		t = t.AddDate(year-(2000+((year%400)+400)%400), 0, 0)
	}
	ms := t.UnixMilli()
	if ms < -maxDateMillis || ms > maxDateMillis {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}

// parseBigInt reads what JavaScript's BigInt() reads from a string.
func parseBigInt(s string) (*big.Int, bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxBigDigits {
		return nil, false
	}
	base := 10
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x', 'X':
			base = 16
		case 'o', 'O':
			base = 8
		case 'b', 'B':
			base = 2
		}
		if base != 10 {
			s = s[2:]
			if s[0] == '-' || s[0] == '+' {
				return nil, false
			}
		}
	}
	if s == "" {
		return new(big.Int), true
	}
	return new(big.Int).SetString(s, base)
}
