// A value of each type that npm/client sends as bytes.
const buffer = Uint8Array.of(9, 1, 2, 3, 4, 9).buffer

export const valuesOfBytes = {
	Uint8Array: Uint8Array.of(0, 1, 127, 128, 255),
	Uint8ClampedArray: Uint8ClampedArray.of(0, 255),
	Int8Array: Int8Array.of(-128, 127),
	Uint16Array: Uint16Array.of(0x0102, 0xffff),
	Int16Array: Int16Array.of(-2, 3),
	Uint32Array: Uint32Array.of(0x01020304, 2 ** 32 - 1),
	Int32Array: Int32Array.of(-1, 2 ** 31 - 1),
	Float32Array: Float32Array.of(1.5, -0, Infinity),
	Float64Array: Float64Array.of(0.1, -1.5, NaN),
	BigUint64Array: BigUint64Array.of(2n ** 64n - 1n),
	BigInt64Array: BigInt64Array.of(-(2n ** 63n)),
	ArrayBuffer: buffer,
	DataView: new DataView(buffer, 1, 4),
	"a part of a buffer": new Uint8Array(buffer, 1, 4),
	"an empty Uint8Array": new Uint8Array(0),
	"an empty Float64Array": new Float64Array(0),
	"an empty ArrayBuffer": new ArrayBuffer(0)
}

/** sameBytes throws unless two values are of one type and have the same bytes. */
export function sameBytes(got, want) {
	const tag = (value) => Object.prototype.toString.call(value)
	if (tag(got) !== tag(want)) throw new Error(`${tag(got)}, want ${tag(want)}`)
	const [a, b] = [got, want].map((value) => (ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value)))
	if (a.length !== b.length) throw new Error(`${a.length} bytes, want ${b.length}`)
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) throw new Error(`byte ${i} is ${a[i]}, want ${b[i]}`)
}
