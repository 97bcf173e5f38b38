/**
 * capabilities is what a peer can do, as the checks name what they need. compact is the minimal peer of compact.mjs, which
 * can do what kkrpc 2.1 can with its streaming channel.
 */
export function capabilities(version, channel, codec) {
	if (version === "compact") {
		const can = capabilities("2.1.0", "streaming", codec)
		can.delete("raw") // whatever leaves it has to be a message that kkrpc writes
		return can
	}
	const can = new Set([codec, version === "2.1.0" ? "frames" : "lines", "raw", "time"])
	const add = (...names) => names.forEach((name) => can.add(name))
	if (version === "0.2.2") add("bytes")
	if (version === "0.7.0") add("bytes", "objects", "causes", "errors", "missing", "streams", "stream-errors", "destroy")
	if (version === "2.1.0") {
		add("objects", "errors", "undefined", "call-options", "metadata", "destroy")
		if (codec === "superjson") add("bytes")
		if (channel === "streaming") add("streams", "stream-arguments", "stream-controls", "credit")
		if (channel === "remote-refs") add("refs")
	}
	if (codec === "json") can.delete("causes")
	return can
}
