package wstest

// blocks are compressed frames, made by hand. Those of "Hello" are the examples of RFC 7692, section 7.2.3.
func blocks() []Case {
	const (
		fixed  = "\xf2\x48\xcd\xc9\xc9\x07\x00"
		stored = "\x00\x05\x00\xfa\xffHello\x00"
		final  = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
		two    = "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"
		again  = "\xf2\x00\x11\x00\x00" // Hello from the message before
	)
	zip := func(payload string) Frame { return text(payload).reserved(4) }
	hello := echoes(opText, "Hello")
	// A peer that keeps a context may look back; without one it must not.
	keeps, forgets := Params{}, Params{Fresh: true}
	return []Case{
		build("14.20", "a block with fixed codes", keeps, zip(fixed), hello, clean{}),
		build("14.21", "a block with fixed codes, by octet", keeps, zip(fixed), octets, hello, clean{}),
		build("14.22", "a compressed message in two fragments", keeps, zip(fixed[:3]).unfinished(), rest(fixed[3:]), hello, clean{}),
		build("14.23", "a compressed message in fragments, the first and last are empty", keeps,
			zip("").unfinished(), rest(fixed).unfinished(), rest(""), hello, clean{}),
		build("14.24", "a ping inside of a compressed message", keeps, zip(fixed[:3]).unfinished(), ping("p"), rest(fixed[3:]),
			echoes(opPing, "p"), hello, clean{}),
		build("14.25", "a stored block", keeps, zip(stored), hello, clean{}),
		build("14.26", "a final block", keeps, zip(final), hello, clean{}),
		build("14.27", "two blocks", keeps, zip(two), hello, clean{}),
		build("14.28", "messages without compression between compressed ones", keeps, zip(fixed), hello, text("Hello"), hello, zip(fixed), hello, clean{}),
		build("14.29", "an empty message", keeps, zip("\x00"), echoes(opText, ""), clean{}),
		build("14.30", "an empty message, then another", keeps, zip("\x00"), echoes(opText, ""), zip(fixed), hello, clean{}),
		build("14.31", "a message after one with a final block", keeps, zip(final), hello, zip(fixed), hello, clean{}),
		build("14.32", "a final block in the first of two fragments", keeps, zip(final).unfinished(), rest(""), hello, clean{}),

		build("14.40", "a block of a type that does not exist", keeps, zip("\x06"), fails(1007)),
		build("14.41", "a stored block whose length is wrong", keeps, zip("\x00\x05\x00\xfa\x00Hello\x00"), fails(1007)),
		build("14.42", "half a block", keeps, zip("\xf2\x48\xcd"), fails(1007)),
		build("14.43", "a look back before the first octet", forgets, zip(again), fails(1007)),
		build("14.44", "a compressed message that is not UTF-8", keeps, zip("\x00\x01\x00\xfe\xff\xff\x00"), fails(1007)),
		build("14.45", "RSV1 on a continuation", keeps, zip(fixed[:3]).unfinished(), rest(fixed[3:]).reserved(4), fails(1002)),
		build("14.46", "RSV1 on the continuation of a message without compression", keeps, text("a").unfinished(), rest("b").reserved(4), fails(1002)),
		build("14.47", "RSV1 on a ping", keeps, ping("p").reserved(4), fails(1002)),
		build("14.48", "RSV1 on a close frame", keeps, closing(1000, "").reserved(4), fails(1002)),
		build("14.49", "RSV1 and RSV2", keeps, text(fixed).reserved(6), fails(1002)),
	}
}
