package wstest

import (
	"fmt"
	"strings"
)

func closings() []Case {
	normal := closing(1000, "")
	large := repeat("BAsd7&jh23", 256<<10)
	half := Frame{op: opClose, payload: []byte("a"), form: -1}
	cases := []Case{
		build("7.1.1", "text, then a close frame", text(hello), echoes(opText, hello), clean{}),
		build("7.1.2", "two close frames", normal, closing(codeNone, ""), closes{1000}),
		build("7.1.3", "a ping after a close frame", normal, ping(""), closes{1000}),
		build("7.1.4", "text after a close frame", normal, text(hello), closes{1000}),
		build("7.1.5", "a close frame between fragments", text("a").unfinished(), normal, rest("b"), closes{1000}),
		build("7.1.6", "256 KiB, text, a close frame and a ping at once", []Frame{text(large), text(hello), normal, ping("")},
			echoes(opText, large), echoes(opText, hello), closes{1000}),
		build("7.3.1", "a close frame without a code", closing(codeNone, ""), closes{codeNone, 1000}),
		build("7.3.2", "a close frame with half a code", half, fails(1002)),
		build("7.3.3", "a close frame with a code", normal, closes{1000}),
		build("7.3.4", "a close frame with a reason", closing(1000, hello), closes{1000}),
		build("7.3.5", "a close frame with the longest reason", closing(1000, strings.Repeat("*", 123)), closes{1000}),
		build("7.3.6", "a close frame of 126 octets", closing(1000, strings.Repeat("*", 124)), fails(1002)),
		build("7.5.1", "a reason that is not UTF-8", closing(1000, greek+"\xed\xa0\x80edited"), closes{1002, 1007}),
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, build(fmt.Sprintf("7.7.%d", i+1), fmt.Sprint("code ", code), closing(code, ""), closes{1000, code}))
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		f := closing(code, "")
		f.payload = []byte{byte(code >> 8), byte(code)} // 1005 too
		cases = append(cases, build(fmt.Sprintf("7.9.%d", i+1), fmt.Sprintf("code %d, which may not be sent", code), f, fails(1002)))
	}
	for i, code := range []int{5000, 65535} {
		cases = append(cases, build(fmt.Sprintf("7.13.%d", i+1), fmt.Sprintf("code %d, which nobody has defined", code),
			closing(code, ""), fails(1002)))
	}
	// Those that were registered after RFC 6455.
	for i, code := range []int{1012, 1013, 1014} {
		cases = append(cases, build(fmt.Sprintf("7.14.%d", i+1), fmt.Sprint("code ", code), closing(code, ""), closes{1000, code}))
	}
	return cases
}
