// The values of a differential test that hold no other values, with all the borders that are known.

const borders = [
	0, -0, 1, -1, 0.1, -0.5, 1.5, 127, 128, 255, 256, 32767, 65535, 65536, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1, 2 ** 32,
	2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53, 2 ** 53 + 2, 2 ** 60 + 2 ** 10, 2 ** 63, -(2 ** 63), 2 ** 64, 1e20, 1e21, 123456789012345680000, 1e-6,
	1e-7, 1.23e-10, 5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, Number.EPSILON, 2.2250738585072014e-308, 1 / 3, 16777217.5, 3.4028234663852886e38,
	3.4028235677973366e38, 9007199254740993.5, NaN, Infinity, -Infinity
]

const scratch = new DataView(new ArrayBuffer(8))

export function number(r) {
	switch (r.below(4)) {
		case 0:
			return r.pick(borders)
		case 1:
			return r.below(200) - 100
		case 2:
			return (r.bits() - 2 ** 31) / 2 ** r.below(40)
	}
	scratch.setUint32(0, r.bits())
	scratch.setUint32(4, r.bits())
	return scratch.getFloat64(0)
}

export function finite(r) {
	const n = number(r)
	return Number.isFinite(n) ? n : 0.25
}

/** written returns one that JSON has and that Go sends: not -0, and no integer that may have lost digits. */
export function written(r) {
	const n = finite(r)
	return Object.is(n, -0) || (Number.isInteger(n) && !Number.isSafeInteger(n)) ? 0.25 : n
}

/** single returns a number of 32 bits, finite if another number is. */
export function single(r, number) {
	const n = number(r)
	return Number.isFinite(Math.fround(n)) || !Number.isFinite(n) ? Math.fround(n) : 0.25
}

/** integer returns one of so many bits, at most what a number holds exactly. */
export function integer(r, bits, signed) {
	const high = Math.min(2 ** (signed ? bits - 1 : bits) - 1, Number.MAX_SAFE_INTEGER)
	const low = signed ? Math.max(-high - 1, Number.MIN_SAFE_INTEGER) : 0
	switch (r.below(4)) {
		case 0:
			return r.pick([low, high, 0, -0, 1])
		case 1:
			return Math.min(high, r.below(300))
	}
	return low + Math.floor(((r.bits() * 2 ** 21 + (r.bits() >>> 11)) / 2 ** 53) * (high - low))
}

export function bigint(r) {
	switch (r.below(4)) {
		case 0:
			return r.pick([0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n])
		case 1:
			return BigInt(r.below(100))
		case 2:
			return r.chance(20) ? -(7n ** BigInt(r.below(4000))) : 10n ** BigInt(r.below(40))
	}
	return (BigInt(r.bits()) << 32n) * (r.chance(2) ? -1n : 1n) + BigInt(r.bits())
}

const texts = [
	"", "a", "Ada", "a.b", "a\\b", "a\\.b", "null", "undefined", "NaN", "-0", "Infinity", "1", "2024-02-29T12:34:56.789Z", "é", "日本", "😀", "\u0000", "\n",
	"\t\"\\/", "\u2028\u2029", "</script>&", "\u007f\u0085", "\ufeff", "\ufffd", "AQID", '{"json":1}', "x".repeat(300), " "
]
const halves = ["\ud83d", "a\udc00b", "\udc00\ud83d"]

/** text returns a string. Half of a surrogate pair is rare, since Go's strings cannot hold it. */
export function text(r, whole) {
	if (!whole && r.chance(60)) return r.pick(halves)
	if (r.chance(2)) return r.pick(texts)
	let s = ""
	for (let n = r.below(6); n > 0; n--) s += String.fromCodePoint(r.pick([r.below(128), r.below(0x800), 0xe000 + r.below(0x1ffe), 0x10000 + r.below(0x100000)]))
	return s
}

const keys = [
	"a", "b", "id", "ID", "userId", "name", "message", "cause", "type", "data", "json", "meta", "values", "v", "length", "toString", "hasOwnProperty", "", " ", "a.b",
	"a\\b", "a\\.b", ".", "\\", "..", "0", "1", "10", "01", "-1", "1e3", "4294967294", "4294967295", "é", "日本", "😀", "\n", "'", '"', "a'b,c", "\u2028", "$&", "key",
	"NaN", "x,omitempty"
]

/** key returns the name of a member. JSON.parse of Deno 2.9.5 confuses one that ends in a backslash, see findings. */
export function key(r, whole) {
	const name = r.chance(4) ? text(r, whole) : r.pick(keys)
	return globalThis.Deno && name.endsWith("\\") ? name + "." : name
}

export function date(r) {
	if (r.chance(3)) return new Date(r.pick([0, -1, 8.64e15, -8.64e15, -62135596800000, -62167219200000, -62167219200001, 253402300799999, 253402300800000, 1709210096789]))
	return new Date((r.bits() - 2 ** 31) * 1000 + r.below(1000))
}

const addresses = [
	"https://example.com/path?q=1#f", "http://x/100%", "http://x/%zz", "http://x/a|b", "http://x/a^b", "http://x/#", "http://x/?", "http://x/?#", "http://x",
	"http://u:p@h:8080/a", "http://u:@h/", "http://:p@h/", "http://[::1]:80/", "http://1.2.3.4/", "http://é.example/é?é#é", "http://x/a b?c d#e f", "file:///a/b",
	"file://host/a", "data:text/plain,a b%", "mailto:a@b.c", "urn:isbn:1", "javascript:void(0)", "a://b", "foo:", "web+app:x y", "http://x/\\a", "http://x/a?b=c&d=[1]{2}`|",
	"http://x/a;b=c", "ws://x/", "blob:http://x/1", "http://x//a//b/", "http://x/'\"<>", "foo://h/p?#", "about:blank", "http://x/%2f%2F%7e~", "foo:/a/../b", "http://a_b/",
	"non-special://a b/".replace(" ", "%20"), "http://x/?q=%F0%9F%98%80", "http://x:0/", "foo://ho%20st/", "http://x/:a@b"
]

export function address(r) {
	if (!r.chance(3)) return new URL(r.pick(addresses))
	try {
		return new URL(r.pick(["http://h/", "foo:", "foo://h/", "https://h/?", "http://h/#"]) + text(r))
	} catch {
		return new URL(r.pick(addresses))
	}
}

const patterns = [
	"a", "\\/", "[/]", "[^\\]]", "(?:b)", "(?<n>c)", "(?=d)", "(?!e)", "(?<=f)", "(?<!g)", "^", "$", "\\b", "x*", "y+?", "z{2,3}", "w{1}", "\\d", "\\u0041", ".", "|", "\n", "\\n",
	"\u2028", "é", "😀", "]", "}", "{", "[[]", "[]", "[^]", "(?:)", "()", "\\]", "\\(", "\\cA", "\\0", "[()*+?]", "x{,3}", "[[a-z]--[b]]", "\\p{L}", "\\k<n>", "(?=a)*", "[\\^/\\]]",
	"(|a)", "\\\\", "[\\\\]"
]

export function expression(r) {
	let source = ""
	for (let n = 1 + r.below(3); n > 0; n--) source += r.pick(patterns)
	try {
		return new RegExp(source, r.pick(["", "", "g", "gi", "dgimsuy", "u", "v", "y", "s"]))
	} catch {
		return new RegExp(r.pick(["", "a/b", "[/]", "x"]), "im")
	}
}

/** readArrays are the typed arrays that superjson knows: all until 2.2.7, and those of bigints since. */
export const readArrays = [
	"Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"
]
/** unreadArrays are those that it writes and refuses to read. Not every runtime has them. */
export const unreadArrays = ["Float16Array", "Buffer"].filter((name) => globalThis[name])

export function typedArray(r, name) {
	const Type = globalThis[name]
	const list = []
	for (let n = r.below(5); n > 0; n--) list.push(name.startsWith("Big") ? bigint(r) : number(r))
	if (name === "Buffer") return Type.from(list.map((n) => n & 255))
	const whole = new Type(list)
	// A view of a part of its memory is no other value.
	return r.chance(4) ? whole.subarray(Math.min(1, whole.length)) : whole
}
