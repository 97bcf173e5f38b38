// Where two values differ, and whether one object stands at the same places in both.
import { ANY } from "./values-schema.mjs"
import { isPlain, source } from "./values-source.mjs"

/**
 * differences compares what arrived with what was sent. Each difference has the path, a kind, the two values there
 * and the schema of the place. within are the objects on the path. field is that of a struct for
 * a member that is missing or new, null if the struct has none.
 */
export function differences(sent, arrived, schema) {
	return new Comparison().run(sent, arrived, schema)
}

const step = (holder, text) => ({ holder, text })

class Comparison {
	#found = []
	#there = new Map() // what was sent, and what has arrived for it
	#back = new Map() // the other way
	#pairs = new Map()

	run(sent, arrived, schema) {
		this.#place([], sent, arrived, schema)
		return this.#found
	}

	#differ(path, kind, sent, arrived, schema, field) {
		this.#found.push({ path: path.map(({ text }) => text).join(""), kind, sent, arrived, schema, field, within: path.map(({ holder }) => holder) })
	}

	#place(path, sent, arrived, schema) {
		while (sent !== null && (schema?.k === "ptr" || schema?.k === "nil")) schema = schema.of
		if (typeof sent !== "object" || sent === null || typeof arrived !== "object" || arrived === null) {
			if (!Object.is(sent, arrived)) this.#differ(path, "value", sent, arrived, schema)
			return
		}
		if (this.#there.has(sent)) {
			if (this.#there.get(sent) !== arrived) this.#differ(path, "apart", sent, arrived, schema)
		} else {
			this.#there.set(sent, arrived)
			if (this.#back.has(arrived)) this.#differ(path, "together", sent, arrived, schema)
			else this.#back.set(arrived, sent)
		}
		const pairs = this.#pairs.get(sent) ?? new Set()
		this.#pairs.set(sent, pairs)
		if (pairs.has(arrived)) return
		pairs.add(arrived)
		this.#inside(path, sent, arrived, schema)
	}

	#inside(path, sent, arrived, schema) {
		const kind = kindOf(sent)
		if (kind !== kindOf(arrived)) {
			this.#differ(path, "kind", sent, arrived, schema)
			return
		}
		const leaf = (a, b) => {
			if (!Object.is(a, b)) this.#differ(path, "value", sent, arrived, schema)
		}
		switch (kind) {
			case "Date":
				return leaf(sent.getTime(), arrived.getTime())
			case "URL":
				return leaf(sent.href, arrived.href)
			case "RegExp":
				return leaf(`/${sent.source}/${sent.flags}`, `/${arrived.source}/${arrived.flags}`)
			case "Array":
				return this.#array(path, sent, arrived, schema)
			case "Map":
				return this.#entries(path, [...sent], [...arrived], sent, arrived, schema)
			case "Set":
				return this.#items(path, [...sent], [...arrived], sent, arrived, schema)
			case "Error":
				return this.#error(path, sent, arrived, schema)
			case "object":
				return this.#object(path, sent, arrived, schema)
			case "typed array":
				return this.#numbers(path, sent, arrived, schema)
		}
		this.#differ(path, "kind", sent, arrived, schema)
	}

	#numbers(path, sent, arrived, schema) {
		if (sent.constructor !== arrived.constructor || sent.length !== arrived.length) return this.#differ(path, "kind", sent, arrived, schema)
		for (let i = 0; i < sent.length; i++) {
			if (!Object.is(sent[i], arrived[i])) return this.#differ(path, "value", sent, arrived, schema)
		}
	}

	#array(path, sent, arrived, schema) {
		if (sent.length !== arrived.length) this.#differ(path, "length", sent, arrived, schema)
		const length = Math.min(sent.length, arrived.length)
		for (let i = 0; i < length; i++) {
			if (i in sent) this.#place([...path, step(sent, `[${i}]`)], sent[i], arrived[i], schema?.of ?? ANY)
			else if (i in arrived) this.#differ([...path, step(sent, `[${i}]`)], "hole", sent, arrived[i], schema)
		}
		const named = (list) => Object.keys(list).filter((key) => String(key >>> 0) !== key)
		if (named(sent).length + named(arrived).length > 0) this.#differ(path, "named elements", sent, arrived, schema)
	}

	#entries(path, a, b, sent, arrived, schema) {
		if (a.length !== b.length) this.#differ(path, "length", sent, arrived, schema)
		for (let i = 0; i < Math.min(a.length, b.length); i++) {
			this.#place([...path, step(sent, `<key ${i}>`)], a[i][0], b[i][0], schema?.key ?? ANY)
			this.#place([...path, step(sent, `<value ${i}>`)], a[i][1], b[i][1], schema?.key ? schema.of : ANY)
		}
	}

	#items(path, a, b, sent, arrived, schema) {
		if (a.length !== b.length) this.#differ(path, "length", sent, arrived, schema)
		for (let i = 0; i < Math.min(a.length, b.length); i++) this.#place([...path, step(sent, `<${i}>`)], a[i], b[i], schema?.of ?? ANY)
	}

	#error(path, sent, arrived, schema) {
		if (sent.name !== arrived.name || sent.message !== arrived.message) this.#differ(path, "value", sent, arrived, schema)
		if (sent.constructor !== arrived.constructor) this.#differ(path, "class", sent, arrived, schema)
		if ("cause" in sent !== "cause" in arrived) this.#differ([...path, step(sent, ".cause")], "cause", sent.cause, arrived.cause, schema)
		else if ("cause" in sent) this.#place([...path, step(sent, ".cause")], sent.cause, arrived.cause, ANY)
		const own = (e) => Object.keys(e).filter((key) => key !== "name" && key !== "stack" && key !== "cause")
		for (const key of own(sent)) if (!Object.hasOwn(arrived, key)) this.#differ([...path, step(sent, `.${key}`)], "property", sent, arrived, schema)
	}

	#object(path, sent, arrived, schema) {
		if (Object.getPrototypeOf(sent) !== Object.getPrototypeOf(arrived)) this.#differ(path, "prototype", sent, arrived, schema)
		const fieldOf = (key) => (schema?.k === "struct" ? (schema.f.find((f) => f.name === key) ?? null) : undefined)
		const common = []
		for (const key of Object.keys(sent)) {
			const field = fieldOf(key)
			const at = [...path, step(sent, `[${JSON.stringify(key)}]`)]
			const inner = field === undefined ? (schema?.of ?? ANY) : field?.of
			if (!Object.hasOwn(arrived, key)) this.#differ(at, "missing", sent[key], undefined, inner, field)
			else {
				common.push(key)
				this.#place(at, sent[key], arrived[key], inner)
			}
		}
		for (const key of Object.keys(arrived)) {
			if (!Object.hasOwn(sent, key)) this.#differ([...path, step(sent, `[${JSON.stringify(key)}]`)], "new", undefined, arrived[key], schema?.of, fieldOf(key))
		}
		const order = Object.keys(arrived).filter((key) => Object.hasOwn(sent, key))
		if (common.some((key, i) => key !== order[i])) this.#differ(path, "order", sent, arrived, schema)
	}
}

function kindOf(value) {
	if (Array.isArray(value)) return "Array"
	for (const type of [Map, Set, Date, RegExp, URL, Error]) if (value instanceof type) return type.name
	if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return "typed array"
	return isPlain(value) ? "object" : "another"
}

/** same tells whether two differences are one. What is inside of a container has differences of its own. */
export function same(a, b) {
	return a.path === b.path && a.kind === b.kind && (["order", "apart", "together"].includes(a.kind) || outline(a.arrived) === outline(b.arrived))
}

function outline(value) {
	if (typeof value !== "object" || value === null) return source(value)
	switch (kindOf(value)) {
		case "Array":
			return `array of ${value.length}`
		case "Map":
		case "Set":
			return `${kindOf(value)} of ${value.size}`
		case "Error":
			return `Error ${value.name} ${value.message}`
		case "object":
			return `object of ${Object.keys(value).length}`
		case "another":
			return Object.prototype.toString.call(value)
	}
	return source(value)
}
