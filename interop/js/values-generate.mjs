// Values of a schema, with objects that occur twice and cycles.
import * as leaf from "./values-leaves.mjs"
import { ANY, integers } from "./values-schema.mjs"

const maxNodes = 80
const maxShares = 5

class Shape {
	constructor(a) {
		this.a = a
	}
}
class Strange extends TypeError {}

/** Generator makes one value. */
export class Generator {
	#r
	#nodes = maxNodes
	#shares = maxShares
	#made = [] // what can occur again, with its schema

	#number

	/** With plain, the numbers of a schema are those that JSON has. */
	constructor(random, plain) {
		this.#r = random
		this.#number = plain ? leaf.finite : leaf.number
	}

	value(schema, depth = 5) {
		const r = this.#r
		this.#nodes--
		if (this.#shares > 0 && this.#made.length > 0 && r.chance(12)) {
			const again = r.pick(this.#made)
			const fits = schema === ANY || schema.k === "any" || schema.k === "value" || again.schema === schema
			if (fits && (!again.open || r.chance(2))) {
				this.#shares--
				return again.value
			}
		}
		switch (schema.k) {
			case "any":
			case "value":
				return this.#any(depth)
			case "string":
				return leaf.text(r)
			case "bool":
				return r.chance(2)
			case "float64":
				return this.#number(r)
			case "float32":
				return r.chance(20) ? leaf.single(r, this.#number) : leaf.integer(r, 24, true)
			case "json.Number":
				return leaf.written(r)
			case "bigint":
				return leaf.bigint(r)
			case "bigint-int64":
				return BigInt(leaf.integer(r, 64, true))
			case "undefined":
				return undefined
			case "ptr":
			case "nil":
				return r.chance(4) ? null : this.value(schema.of, depth)
			case "date":
				return this.#keep(schema, leaf.date(r))
			case "url":
				return this.#keep(schema, leaf.address(r))
			case "regexp":
				return this.#keep(schema, leaf.expression(r))
			case "error":
			case "goerror":
				return this.#error(schema, depth)
			case "slice":
			case "array":
				return this.#array(schema, depth)
			case "struct":
				return this.#struct(schema, depth)
			case "record":
			case "intrecord":
				return this.#record(schema, depth)
			case "map":
			case "gomap":
				return this.#map(schema, depth)
			case "set":
			case "goset":
				return this.#set(schema, depth)
		}
		if (integers[schema.k]) return leaf.integer(r, ...integers[schema.k])
		return this.#keep(schema, leaf.typedArray(r, schema.k))
	}

	/** keep has a value occur again. A container may do so inside of itself, while it is filled. */
	#keep(schema, value, fill) {
		const entry = { schema, value, open: fill !== undefined }
		this.#made.push(entry)
		fill?.(value)
		entry.open = false
		return value
	}

	#count(depth, most = 5) {
		return depth <= 0 || this.#nodes <= 0 ? 0 : this.#r.below(most + 1)
	}

	#any(depth) {
		const r = this.#r
		const shallow = depth <= 0 || this.#nodes <= 0
		switch (r.below(shallow ? 12 : 22)) {
			case 0:
			case 1:
				return leaf.number(r)
			case 2:
			case 3:
				return leaf.text(r)
			case 4:
				return r.chance(2)
			case 5:
				return null
			case 6:
				return undefined
			case 7:
				return leaf.bigint(r)
			case 8:
				return this.#keep(ANY, leaf.date(r))
			case 9:
				return this.#keep(ANY, r.chance(2) ? leaf.address(r) : leaf.expression(r))
			case 10:
				return this.#keep(ANY, leaf.typedArray(r, r.pick(r.chance(20) ? leaf.unreadArrays : leaf.readArrays)))
			case 11:
				return r.chance(4) ? this.#keep(ANY, this.#odd()) : leaf.finite(r)
			case 12:
			case 13:
				return this.#map({ k: "map" }, depth)
			case 14:
				return this.#set({ k: "set" }, depth)
			case 15:
				return this.#error({ k: "error" }, depth)
			case 16:
			case 17:
			case 18:
				return this.#array({ k: "slice", of: ANY }, depth)
		}
		return this.#record({ k: "record", of: ANY }, depth)
	}

	/** odd returns what the library does not know. */
	#odd() {
		const r = this.#r
		switch (r.below(14)) {
			case 0:
				return () => {}
			case 1:
				return class {}
			case 2:
				return Symbol("s")
			case 3:
				return new Shape(leaf.finite(r))
			case 4:
				return Object.assign(Object.create({ inherited: 1 }), { own: leaf.text(r) })
			case 5:
				return new ArrayBuffer(2)
			case 6:
				return new DataView(new ArrayBuffer(2))
			case 7:
				return new WeakMap()
			case 8:
				return Object(leaf.finite(r))
			case 9:
				return Object("boxed")
			case 10:
				return new Date(NaN)
			case 11:
				return "abcd".match(r.pick([/b(c)/, /(?<n>b)/]))
			case 12:
				return Object.assign([1, 2], { extra: r.pick([1, new Date(0), undefined]) })
		}
		return new URLSearchParams("a=1")
	}

	#array(schema, depth) {
		const r = this.#r
		return this.#keep(schema, [], (list) => {
			const n = schema.k === "array" ? schema.n : this.#count(depth)
			for (let i = 0; i < n; i++) list.push(this.value(schema.of, depth - 1))
			if (schema.of.k === "any" && schema.k === "slice" && r.chance(25)) {
				if (list.length > 0) delete list[r.below(list.length)]
				if (r.chance(2)) list.length += 2
			}
		})
	}

	#struct(schema, depth) {
		const r = this.#r
		return this.#keep(schema, {}, (object) => {
			for (const { name, optional, of } of schema.f) {
				if (!optional || !r.chance(3)) object[name] = this.value(of, depth - 1)
				else if (r.chance(2)) object[name] = undefined
			}
			const name = leaf.key(r)
			// Go reads a name in another case into the field.
			if (r.chance(20) && !schema.f.some((field) => field.name.toLowerCase() === name.toLowerCase())) object[name] = this.value(ANY, 1)
		})
	}

	#record(schema, depth) {
		const r = this.#r
		return this.#keep(schema, r.chance(15) ? Object.create(null) : {}, (object) => {
			for (let n = this.#count(depth); n > 0; n--) {
				const name = schema.k === "intrecord" ? String(leaf.integer(r, 32, true)) : leaf.key(r)
				object[name] = this.value(schema.of, depth - 1)
			}
		})
	}

	#map(schema, depth) {
		return this.#keep(schema, new Map(), (map) => {
			for (let n = this.#count(depth, 4); n > 0; n--) {
				const key = this.value(schema.key ?? ANY, depth - 1)
				if (inJSON(key)) map.set(key, this.value(schema.of ?? ANY, depth - 1))
			}
		})
	}

	#set(schema, depth) {
		return this.#keep(schema, new Set(), (set) => {
			for (let n = this.#count(depth, 4); n > 0; n--) {
				const item = this.value(schema.of ?? ANY, depth - 1)
				if (inJSON(item)) set.add(item)
			}
		})
	}

	#error(schema, depth) {
		const r = this.#r
		const message = leaf.text(r)
		let error = new Error(message)
		switch (r.below(10)) {
			case 0:
				error = new TypeError(message)
				break
			case 1:
				error = new Strange(message)
				break
			case 2:
				error = new AggregateError([], message)
				break
			case 3:
				return this.#keep(schema, new DOMException(message, "AbortError"))
		}
		return this.#keep(schema, error, () => {
			if (r.chance(5)) error.name = leaf.text(r)
			if (r.chance(3)) Object.defineProperty(error, "cause", { value: this.value(ANY, depth - 1), writable: true, configurable: true })
			if (r.chance(15)) error.code = leaf.finite(r)
		})
	}
}

/** inJSON is false for what becomes null there. Two nulls would be one key. */
function inJSON(value) {
	return !["function", "symbol"].includes(typeof value) && !(value instanceof Date && isNaN(value))
}
