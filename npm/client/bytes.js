// Bytes beside the text of a message: the binary frames of docs/protocol.md, section Bytes.

const FIRST = 0xb1 // begins no text in UTF-8
const HEADER = 32
const ENTRY = 8 // of the table of parts
const MARK = 16
const MAX_PARTS = 65_536
const MAX_LENGTH = 0xffff_ffff
// In the order of their numbers. An ArrayBuffer is no view, and is not made by its class.
/** @type {((new (frame: ArrayBuffer, offset: number, length: number) => any) & {BYTES_PER_ELEMENT?: number})[]} */
const TYPES = [
	Uint8Array,
	Uint8ClampedArray,
	Int8Array,
	Uint16Array,
	Int16Array,
	Uint32Array,
	Int32Array,
	Float32Array,
	Float64Array,
	BigUint64Array,
	BigInt64Array,
	ArrayBuffer,
	DataView,
]
const NAMES = TYPES.map(({ name }) => name)
const BUFFER = TYPES.indexOf(ArrayBuffer)
const MEMBERS = ["a", "v", "e"] // of a message, with values in them

// How far search goes before it leaves the question to frameOf: into a cycle, and into what is shared again and again.
const MAX_DEPTH = 100
const MAX_VISITS = 1_000_000

/** @typedef {{encode(message: any): string, decode(text: string): any}} Codec */

/**
 * encode returns a message as text, or as a frame (Uint8Array) if there are bytes in its values. The frame has copies of
 * them. maps says that the codec writes what is in a Map or a Set.
 *
 * @param {any} message
 * @param {Codec} codec
 * @param {boolean} maps
 */
export function encode(message, codec, maps) {
	visits = 0
	const found = search(message?.a, maps, 0) || search(message?.v, maps, 0) || search(message?.e, maps, 0)
	return (found && frameOf(message, codec, maps)) || codec.encode(message)
}

/** isFrame tells a frame from text in a binary message of a socket. */
export const isFrame = (/** @type {ArrayBuffer} */ data) => new Uint8Array(data)[0] === FIRST

/**
 * decode returns the message of a frame (ArrayBuffer). Its bytes are views of the frame. It throws if the frame is
 * malformed, and what the codec throws.
 *
 * @param {ArrayBuffer} frame
 * @param {Codec} codec
 */
export function decode(frame, codec) {
	const { text, mark, parts } = open(frame)
	const message = codec.decode(text)
	const met = new Set()
	const fill = (/** @type {any} */ value) => {
		if (isObject(value)) met.add(value)
		if (typeof value !== "string" || !value.startsWith(mark)) return value
		const index = /** @type {any} */ (value.slice(MARK)) // of digits
		check(/^(0|[1-9]\d*)$/.test(index) && +index < parts.length, "a placeholder of no part")
		return parts[index]
	}
	replace(message, MEMBERS, fill)
	// Also what fill adds meanwhile.
	for (const value of met) {
		if (isContainer(value, true)) replaceAll(value, fill)
		else if (value instanceof Error) replace(value, [...Object.keys(value), "cause"], fill)
	}
	return message
}

let visits = 0

/**
 * search reports whether there may be bytes in a value. If it says no there are none. It allocates nothing.
 *
 * @param {any} value
 * @param {boolean} maps
 * @param {number} depth
 * @returns {boolean}
 */
function search(value, maps, depth) {
	if (!isObject(value)) return false
	if (depth > MAX_DEPTH || ++visits > MAX_VISITS) return true
	if (Array.isArray(value)) {
		for (let i = 0; i < value.length; i++) {
			const item = value[i]
			if (isObject(item) && search(item, maps, depth + 1)) return true
		}
		return false
	}
	if (isPlain(value)) {
		for (const key in value) {
			const item = value[key]
			if (isObject(item) && search(item, maps, depth + 1)) return true
		}
		return false
	}
	if (!isContainer(value, maps)) return typeOf(value) >= 0
	for (const item of value) if (search(item, maps, depth + 1)) return true
	return false
}

/**
 * frameOf returns undefined if there are no bytes in a message. It copies every container, so that sharing and cycles stay.
 *
 * @param {any} message
 * @param {Codec} codec
 * @param {boolean} maps
 */
function frameOf(message, codec, maps) {
	if (!isPlain(message)) return
	const mark = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12))))
		.replace(/\+/g, "-")
		.replace(/\//g, "_")
	/** @type {{type: number, bytes: Uint8Array, offset: number}[]} */
	const parts = []
	const copies = new Map() // of containers; of bytes their placeholders
	const take = (/** @type {any} */ value) => {
		if (!isObject(value)) return value
		let copy = copies.get(value)
		if (copy) return copy
		const type = typeOf(value)
		if (type >= 0) {
			const bytes = type === BUFFER ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
			if (parts.length === MAX_PARTS || bytes.length > MAX_LENGTH) return value
			copy = mark + parts.length
			parts.push({ type, bytes, offset: 0 })
		} else if (isContainer(value, maps) && typeof value.toJSON !== "function") {
			copy = Array.isArray(value) ? value.slice() : isPlain(value) ? { ...value } : value instanceof Map ? new Map(value) : new Set(value)
		} else {
			return value
		}
		copies.set(value, copy)
		return copy
	}
	const copy = { ...message }
	replace(copy, MEMBERS, take)
	for (const one of copies.values()) if (typeof one === "object") replaceAll(one, take) // and what take adds meanwhile
	if (parts.length === 0) return

	const text = new TextEncoder().encode(codec.encode(copy))
	const start = HEADER + ENTRY * parts.length
	let end = start + text.length
	for (const part of parts) {
		part.offset = aligned(end)
		end = part.offset + part.bytes.length
	}
	const frame = new Uint8Array(end)
	const header = new DataView(frame.buffer)
	const put = (/** @type {number} */ offset, /** @type {number} */ n) => header.setUint32(offset, n, true)
	put(0, FIRST)
	put(4, parts.length)
	put(8, text.length)
	for (let i = 0; i < MARK; i++) frame[16 + i] = mark.charCodeAt(i)
	for (const [i, { type, bytes, offset }] of parts.entries()) {
		put(HEADER + ENTRY * i, bytes.length)
		put(HEADER + ENTRY * i + 4, type)
		frame.set(bytes, offset)
	}
	frame.set(text, start)
	return frame
}

/** @param {ArrayBuffer} frame */
function open(frame) {
	const bytes = new Uint8Array(frame)
	const header = new DataView(frame)
	const get = (/** @type {number} */ offset) => header.getUint32(offset, true)
	check(bytes.length >= HEADER, "too few bytes for the header")
	const count = get(4)
	const start = HEADER + ENTRY * count
	let end = start + get(8)
	check(get(0) === FIRST && get(12) === 0, "bytes in the header")
	check(count > 0 && count <= MAX_PARTS, "number of parts ", count)
	check(end <= bytes.length, "too few bytes for the text")
	const mark = String.fromCharCode(...bytes.subarray(16, HEADER))
	check(/^[\w-]{16}$/.test(mark), "characters of the mark")
	const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, end))
	/** @type {(ArrayBuffer | ArrayBufferView)[]} */
	const parts = []
	for (let i = 0; i < count; i++) {
		const length = get(HEADER + ENTRY * i)
		const type = get(HEADER + ENTRY * i + 4)
		const { BYTES_PER_ELEMENT: size = 1 } = TYPES[type] ?? {}
		const offset = aligned(end)
		check(type < TYPES.length && length % size === 0, "type or length of part ", i)
		check(offset + length <= bytes.length, "too few bytes for part ", i)
		while (end < offset) check(bytes[end++] === 0, "bytes before part ", i)
		end += length
		parts.push(type === BUFFER ? frame.slice(offset, end) : new TYPES[type](frame, offset, length / size))
	}
	check(end === bytes.length, "bytes behind part ", count - 1)
	return { text, mark, parts }
}

const aligned = (/** @type {number} */ offset) => Math.ceil(offset / 8) * 8

/**
 * @param {boolean} ok
 * @param {string} problem
 * @param {string | number} n
 */
function check(ok, problem, n = "") {
	if (!ok) throw new Error(problem + n)
}

/**
 * typeOf is the number of a type of bytes, -1 if value is of none. A Buffer of Node.js is a Uint8Array.
 *
 * @param {any} value
 */
function typeOf(value) {
	const name = value[Symbol.toStringTag]
	if (ArrayBuffer.isView(value)) return NAMES.indexOf(name)
	return name === "ArrayBuffer" || name === "SharedArrayBuffer" ? BUFFER : -1
}

/** @type {(value: unknown) => boolean} */
const isObject = (value) => typeof value === "object" && value !== null

/** @param {unknown} value */
function isPlain(value) {
	const prototype = Object.getPrototypeOf(value)
	return prototype === Object.prototype || prototype === null
}

/** @type {(value: unknown, maps: boolean) => boolean} */
const isContainer = (value, maps) => Array.isArray(value) || isPlain(value) || (maps && (value instanceof Map || value instanceof Set))

/**
 * replaceAll puts in place of each value in a container what f makes of it.
 *
 * @param {any} container
 * @param {(value: any) => any} f
 */
function replaceAll(container, f) {
	if (Array.isArray(container)) return replace(container, container.keys(), f)
	if (isPlain(container)) return replace(container, Object.keys(container), f)
	const items = [...container]
	container.clear()
	for (const item of items) {
		if (container instanceof Map) container.set(f(item[0]), f(item[1]))
		else container.add(f(item))
	}
}

/**
 * @param {any} container
 * @param {Iterable<string | number>} keys
 * @param {(value: any) => any} f
 */
function replace(container, keys, f) {
	for (const key of keys) {
		const value = container[key]
		const other = f(value)
		if (other !== value) container[key] = other
	}
}
