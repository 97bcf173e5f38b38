package wstest

import (
	"fmt"
	"strings"
)

// greek has characters of 2 and 3 octets.
const greek = "κ\u1f79σμε"

// unicode is about text in fragments and where it is found not to be UTF-8.
func unicode() []Case {
	mixed := "Hello-µ@ßöäüàá-UTF-8!!"
	surrogate, beyond := greek+"\xed\xa0\x80"+"edited", greek+"\xf4\x90\x80\x80"+"edited"
	// The peer asks with a ping whether the endpoint has found the fault before the message is complete.
	early := func(id, name string, at int) Case {
		return build(id, name, text(beyond[:11]).unfinished(), ping("valid so far"), echoes(opPing, "valid so far"), pause{},
			rest(beyond[11:at]).unfinished(), ping("found?"), rest(beyond[at:]), fails(1007))
	}
	inFrame := func(id string, at int) Case {
		return build(id, "one frame, which is not UTF-8 from the middle on", text(beyond), cut(at), fails(1007))
	}
	return []Case{
		build("6.1.1", "empty text", text(""), echoes(opText, ""), clean{}),
		build("6.1.2", "three empty fragments", emptyFragments(3), echoes(opText, ""), clean{}),
		build("6.1.3", "fragments, the first and last are empty", text("").unfinished(), rest(hello).unfinished(), rest(""),
			echoes(opText, hello), clean{}),
		build("6.2.1", "text beyond ASCII", text(mixed), echoes(opText, mixed), clean{}),
		build("6.2.2", "text beyond ASCII in two fragments", fragments(opText, mixed, 12), echoes(opText, mixed), clean{}),
		build("6.2.3", "text beyond ASCII in fragments of one octet", fragments(opText, mixed, 1), echoes(opText, mixed), clean{}),
		build("6.2.4", "Greek text in fragments of one octet", fragments(opText, greek, 1), echoes(opText, greek), clean{}),
		build("6.3.1", "text with a surrogate", text(surrogate), fails(1007)),
		build("6.3.2", "text with a surrogate in fragments of one octet", fragments(opText, surrogate, 1), fails(1007)),
		early("6.4.1", "the second of three fragments is not UTF-8", 15),
		early("6.4.2", "the second of three fragments ends with the octet that is not UTF-8", 13),
		inFrame("6.4.3", 15+6),
		inFrame("6.4.4", 13+6),
	}
}

// sequences are the lists of Markus Kuhn's test of UTF-8 decoders, section by section.
func sequences() []Case {
	var prefixes []string
	for i := range len(greek) {
		prefixes = append(prefixes, greek[:i+1])
	}
	var continuations strings.Builder
	for b := byte(0x80); b < 0xbf; b++ {
		continuations.WriteByte(b)
	}
	starts := func(from, to byte) string {
		var s strings.Builder
		for b := from; b < to; b++ {
			s.WriteByte(b)
			s.WriteByte(' ')
		}
		return s.String()
	}
	missing := []string{"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"}
	noncharacters := []string{"\ufffe", "\uffff"}
	for plane := rune(1); plane <= 16; plane++ {
		noncharacters = append(noncharacters, string(plane<<16+0xfffe), string(plane<<16+0xffff))
	}

	lists := []struct {
		name  string
		valid []string
		wrong []string
	}{
		{"text with characters of every length", []string{"hello$world", "hello¢world", "hello€world", "hello𤭢world", greek}, nil},
		{"prefixes of a text", nil, prefixes},
		{"the first character of each length", []string{"\x00", "\u0080", "\u0800", "\U00010000"}, nil},
		{"the first of 5 and 6 octets", nil, []string{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"}},
		{"the last character of each length", []string{"\x7f", "\u07ff", "\uffff", "\U0010ffff"}, nil},
		{"the last of 4, 5 and 6 octets", nil, []string{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"}},
		{"other boundaries", []string{"\ud7ff", "\ue000", "\ufffd", "\U0010ffff"}, []string{"\xf4\x90\x80\x80"}},
		{"continuations without a start", nil, []string{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf",
			"\x80\xbf\x80\xbf\x80", "\x80\xbf\x80\xbf\x80\xbf", continuations.String()}},
		{"starts without a continuation", nil, []string{starts(0xc0, 0xdf), starts(0xe0, 0xef), starts(0xf0, 0xf7), starts(0xf8, 0xfb), starts(0xfc, 0xfd)}},
		{"the last continuation is missing", nil, missing},
		{"all of these together", nil, []string{strings.Join(missing, "")}},
		{"octets that never occur", nil, []string{"\xfe", "\xff", "\xfe\xfe\xff\xff"}},
		{"a slash in more octets than it takes", nil, []string{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"}},
		{"the greatest of too many octets", nil, []string{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"}},
		{"NUL in more octets than it takes", nil, []string{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"}},
		{"single surrogates", nil, []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"}},
		{"pairs of surrogates", nil, []string{"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf",
			"\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf", "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf"}},
		{"noncharacters, which are valid", noncharacters, nil},
		{"specials, which are valid", []string{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"}, nil},
	}
	var cases []Case
	for i, list := range lists {
		n := 0
		add := func(payload string, valid bool) {
			n++
			id := fmt.Sprintf("6.%d.%d", i+5, n)
			if valid {
				cases = append(cases, build(id, list.name, text(payload), echoes(opText, payload), clean{}))
			} else {
				cases = append(cases, build(id, list.name, text(payload), fails(1007)))
			}
		}
		for _, payload := range list.valid {
			add(payload, true)
		}
		for _, payload := range list.wrong {
			add(payload, list.name == "prefixes of a text" && len(strings.ToValidUTF8(payload, "")) == len(payload))
		}
	}
	return cases
}
