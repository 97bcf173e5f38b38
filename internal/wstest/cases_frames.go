package wstest

import "fmt"

const hello = "Hello, world!"

// framing is about every form of length.
func framing() []Case {
	var cases []Case
	for i, kind := range []struct {
		op   byte
		fill string
	}{{opText, "*"}, {opBinary, "\xfe"}} {
		for j, n := range []int{0, 125, 126, 127, 128, 65535, 65536, 65536} {
			payload := repeat(kind.fill, n)
			name, how := fmt.Sprintf("a message of %d octets", n), whole
			if j == 7 {
				name, how = name+" in pieces of 997", 997
			}
			cases = append(cases, build(fmt.Sprintf("1.%d.%d", i+1, j+1), name,
				other(kind.op, payload), how, echoes(kind.op, payload), clean{}))
		}
	}
	return cases
}

func pings() []Case {
	odd := "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	long := repeat("\xfe", 125)
	ten := func(id string, how cut) Case {
		parts := []any{}
		for i := range 10 {
			payload := fmt.Sprint("ping ", i)
			parts = append(parts, ping(payload), echoes(opPing, payload))
		}
		return build(id, "ten pings without a wait", append(parts, how, clean{})...)
	}
	return []Case{
		build("2.1", "an empty ping", ping(""), echoes(opPing, ""), clean{}),
		build("2.2", "a ping with text", ping(hello), echoes(opPing, hello), clean{}),
		build("2.3", "a ping that is not UTF-8", ping(odd), echoes(opPing, odd), clean{}),
		build("2.4", "a ping of 125 octets", ping(long), echoes(opPing, long), clean{}),
		build("2.5", "a ping of 126 octets", ping(long+"\xfe"), fails(1002)),
		build("2.6", "a ping of 125 octets, one at a time", ping(long), octets, echoes(opPing, long), clean{}),
		build("2.7", "an empty pong that nobody asked for", pong(""), closing(1000, ""), closes{1000}),
		build("2.8", "a pong that nobody asked for", pong(hello), closing(1000, ""), closes{1000}),
		build("2.9", "a pong that nobody asked for, then a ping", pong("unasked"), ping(hello), echoes(opPing, hello), clean{}),
		ten("2.10", whole),
		ten("2.11", octets),
	}
}

// afterText sends a message, then frames that break the protocol, then a ping that is not answered.
func afterText(id, name string, wrong Frame, how cut) Case {
	return build(id, name, text(hello), echoes(opText, hello), wrong, ping(""), how, fails(1002))
}

func reservedBits() []Case {
	odd := "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	return []Case{
		build("3.1", "text with RSV3", text(hello).reserved(1), fails(1002)),
		afterText("3.2", "text, then text with RSV2", text(hello).reserved(2), whole),
		afterText("3.3", "text, then text with RSV2 and RSV3, by frame", text(hello).reserved(3), byFrame),
		afterText("3.4", "text, then text with RSV1, by octet", text(hello).reserved(4), octets),
		build("3.5", "binary with RSV1 and RSV3", bin(odd).reserved(5), fails(1002)),
		build("3.6", "a ping with RSV1 and RSV2", ping(hello).reserved(6), fails(1002)),
		build("3.7", "a close frame with all reserved bits", closing(codeNone, "").reserved(7), fails(1002)),
	}
}

func opcodes() []Case {
	var cases []Case
	for i, first := range []byte{3, 11} {
		id := func(n int) string { return fmt.Sprintf("4.%d.%d", i+1, n) }
		name := func(n byte) string { return fmt.Sprintf("opcode %d", first+n) }
		cases = append(cases,
			build(id(1), name(0), other(first, ""), fails(1002)),
			build(id(2), name(1)+" with a payload", other(first+1, "reserved"), fails(1002)),
			afterText(id(3), "text, then "+name(2), other(first+2, ""), whole),
			afterText(id(4), "text, then "+name(3)+" with a payload", other(first+3, hello), whole),
			afterText(id(5), "text, then "+name(4)+" with a payload, by octet", other(first+4, hello), octets))
	}
	return cases
}

func fragmentation() []Case {
	one, two := text("one").unfinished(), rest("two")
	stray := rest("stray")
	both := echoes(opText, "onetwo")
	interrupted := func(id string, how cut) Case {
		return build(id, "a ping in the middle of a message, which is answered there, and again",
			text("a").unfinished(), rest("b").unfinished(), ping("first"), how, echoes(opPing, "first"), pause{},
			rest("c").unfinished(), rest("d").unfinished(), ping("second"), rest("e"), how,
			echoes(opPing, "second"), echoes(opText, "abcde"), clean{})
	}
	var cases []Case
	add := func(c Case) { cases = append(cases, c) }
	add(build("5.1", "a ping in fragments", ping("one").unfinished(), two, fails(1002)))
	add(build("5.2", "a pong in fragments", pong("one").unfinished(), two, fails(1002)))
	for i, how := range []cut{whole, byFrame, octets} {
		id := func(n int) string { return fmt.Sprintf("5.%d", n+i) }
		add(build(id(3), "text in fragments", one, two, how, both, clean{}))
		add(build(id(6), "a ping between fragments", one, ping(hello), two, how, echoes(opPing, hello), both, clean{}))
		add(build(id(9), "a continuation of nothing, then text", stray, text(hello), how, fails(1002)))
		add(build(id(12), "an unfinished continuation of nothing, then text", stray.unfinished(), text(hello), how, fails(1002)))
	}
	add(build("5.15", "text in fragments, then a continuation of nothing, then text",
		one, two, both, stray.unfinished(), text(hello), fails(1002)))
	add(build("5.16", "an unfinished continuation of nothing before each of two messages",
		stray.unfinished(), one, two, stray.unfinished(), one, two, fails(1002)))
	add(build("5.17", "a continuation of nothing before each of two messages",
		stray, one, two, stray, one, two, fails(1002)))
	add(build("5.18", "a message inside of a message", one, text("two"), fails(1002)))
	add(interrupted("5.19", whole))
	add(interrupted("5.20", byFrame))
	return cases
}

// automatic is a message as a sender cuts it that has a greatest size of frames.
func automatic() []Case {
	payload := repeat("*", 65536)
	return []Case{build("10.1.1", "64 KiB in fragments of 1300 octets",
		fragments(opText, payload, 1300), echoes(opText, payload), clean{})}
}

// lengths are forms of the length that RFC 6455, section 5.2, forbids.
func lengths() []Case {
	form := func(payload string, form int) Frame {
		f := text(payload)
		f.form = form
		return f
	}
	huge := Frame{op: opText, form: 8, claimed: 1 << 63}
	return []Case{
		build("14.1", "a length below 126 in 2 octets", form(hello, 2), fails(1002)),
		build("14.2", "a length below 126 in 8 octets", form(hello, 8), fails(1002)),
		build("14.3", "a length of 125 in 2 octets", form(repeat("*", 125), 2), fails(1002)),
		build("14.4", "a length of 65535 in 8 octets", form(repeat("*", 65535), 8), fails(1002)),
		build("14.5", "a length with its highest bit set", huge, closes{1002, 1009}),
		build("14.6", "a length with its highest bit set, by octet", huge, octets, closes{1002, 1009}),
		build("14.7", "a close frame in the middle of a message", text("a").unfinished(), closing(1000, ""), closes{1000}),
		build("14.8", "an empty message in 100 fragments", emptyFragments(100), echoes(opText, ""), clean{}),
		build("14.9", "a length of 2 GiB, which no endpoint here takes", Frame{op: opText, form: 8, claimed: 1 << 31}, fails(1009)),
	}
}

func emptyFragments(n int) []Frame {
	frames := []Frame{text("").unfinished()}
	for range n - 2 {
		frames = append(frames, rest("").unfinished())
	}
	return append(frames, rest(""))
}

// masks are frames that are masked where RFC 6455, section 5.1, forbids it, or not masked.
func masks() []Case {
	wrong := func(f Frame) Frame { f.badMask = true; return f }
	return []Case{
		build("14.10", "text with the wrong mask bit", wrong(text(hello)), fails(1002)),
		build("14.11", "empty text with the wrong mask bit", wrong(text("")), fails(1002)),
		build("14.12", "a ping with the wrong mask bit", wrong(ping(hello)), fails(1002)),
		build("14.13", "a close frame with the wrong mask bit", wrong(closing(1000, "")), fails(1002)),
		build("14.14", "text, then its continuation with the wrong mask bit", text("a").unfinished(), wrong(rest("b")), fails(1002)),
	}
}
