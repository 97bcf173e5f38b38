// Schemas of values. Each is a Go type too, which interop/values/schema.go makes of it.
import { key } from "./values-leaves.mjs"

/** ANY is the schema of every value. */
export const ANY = { k: "any" }

/** integers are Go's, each with its bits and whether it has a sign. */
export const integers = {
	int: [64, true], int8: [8, true], int16: [16, true], int32: [32, true], int64: [64, true],
	uint: [64, false], uint8: [8, false], uint16: [16, false], uint32: [32, false], uint64: [64, false]
}

/** numberArrays are the typed arrays that JSON makes objects of. */
export const numberArrays = ["Int8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array"]

const scalars = ["string", "bool", "float64", "float64", "float32", "json.Number", ...Object.keys(integers)]
const leaves = ["bigint", "bigint-int64", "date", "url", "regexp", "error", "goerror", "undefined", "Uint8Array", ...numberArrays, "BigInt64Array", "BigUint64Array"]
const objects = ["slice", "array", "struct", "struct", "record", "intrecord", "map", "gomap", "set", "goset", "ptr", "ptr"]
const keyed = ["string", "string", "int", "uint8"]

/** schema returns a random schema. With plain it has only what JSON holds. */
export function schema(r, depth, plain) {
	const kind = depth > 0 && !r.chance(3) ? r.pick(objects) : r.chance(4) ? "any" : !plain && r.chance(12) ? "value" : r.chance(2) ? r.pick(scalars) : r.pick(leaves)
	const inner = () => schema(r, depth - 1, plain)
	switch (kind) {
		case "slice":
			return nilable(r, { k: kind, of: inner() })
		case "goset":
			return plain ? inner() : nilable(r, { k: kind, of: inner() })
		case "array":
			return { k: kind, n: r.below(4), of: inner() }
		case "ptr":
			return pointer(inner())
		case "record":
		case "intrecord":
			return nilable(r, { k: kind, of: inner() })
		case "struct":
			return struct(r, inner)
		case "gomap":
			return plain ? inner() : { k: kind, key: { k: r.pick(keyed) }, of: inner() }
	}
	if (plain && !scalars.includes(kind) && !["any", "date", "url", ...numberArrays].includes(kind)) return { k: r.pick(scalars) }
	return { k: kind }
}

/** pointer keeps what already has a nil in Go: a pointer to it would have two. */
function pointer(of) {
	return ["string", "bool", "float64", "int", "date", "struct", "array", "slice", "record", "set", "map", "error"].includes(of.k) ? { k: "ptr", of } : of
}

/** nilable has null for a type that has a nil of its own. */
function nilable(r, of) {
	return r.chance(4) ? { k: "nil", of } : of
}

function struct(r, inner) {
	const names = new Set()
	for (let n = r.below(6); n > 0; n--) names.add(key(r, true))
	return { k: "struct", f: [...names].map((name) => ({ name, optional: r.chance(4), of: inner() })) }
}
