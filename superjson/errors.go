package superjson

import (
	"errors"
	"strconv"
	"strings"
)

// TypeError reports that a value does not fit the Go type into which it was to be decoded.
type TypeError struct {
	// Path leads from the decoded value to the one that does not fit, as in user.tags[2]. It is empty for the value
	// itself.
	Path string
	// Expected and Got use JavaScript's names: number, integer, string, boolean, null, undefined, array, object,
	// bigint, Date, Uint8Array and so on.
	Expected, Got string
}

func (e *TypeError) Error() string {
	text := "expected " + e.Expected + ", got " + e.Got
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	return "superjson: " + text
}

// EncodeError reports that a Go value has no form in the mode of the Encoder.
type EncodeError struct {
	// Path leads from the encoded value to the one that failed, as in user.tags[2]. It is empty for the value itself.
	Path   string
	Reason string
}

func (e *EncodeError) Error() string {
	if e.Path != "" {
		return "superjson: " + shortPath(e.Path) + ": " + e.Reason
	}
	return "superjson: " + e.Reason
}

// maxPathText is the number of bytes of a path in an error text. The path of a cycle can have any length.
const maxPathText = 100

func shortPath(path string) string {
	if len(path) <= maxPathText {
		return path
	}
	return strings.ToValidUTF8(path[:maxPathText], "") + "…"
}

// DataError reports a malformed or hostile value or metadata, which the JavaScript library refuses too.
type DataError struct {
	Path   string
	Reason string
}

func (e *DataError) Error() string {
	if e.Path != "" {
		return "superjson: " + e.Path + ": " + e.Reason
	}
	return "superjson: " + e.Reason
}

func joinPath(head, tail string) string {
	if tail == "" || tail[0] == '[' {
		return head + tail
	}
	if head == "" {
		return tail
	}
	return head + "." + tail
}

// atKey puts a member name before the path of an error on its way out.
func atKey(err error, key string) error { return prefixPath(err, key) }

// atIndex puts an array index before the path of an error on its way out.
func atIndex(err error, index int) error { return prefixPath(err, "["+strconv.Itoa(index)+"]") }

func prefixPath(err error, head string) error {
	if e, ok := errors.AsType[*TypeError](err); ok {
		e.Path = joinPath(head, e.Path)
	} else if e, ok := errors.AsType[*EncodeError](err); ok {
		e.Path = joinPath(head, e.Path)
	} else if e, ok := errors.AsType[*DataError](err); ok {
		e.Path = joinPath(head, e.Path)
	}
	return err
}

// atPath puts a path before that of an error in metadata. A hostile path can have any length.
func atPath(err error, at path) error {
	if e, ok := errors.AsType[*DataError](err); ok {
		e.Path = shortPath(joinPath(strings.Join(at, "."), e.Path))
	}
	return err
}
