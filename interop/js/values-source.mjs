// JavaScript source that makes a value again, for people who read a failure.

/** source returns an expression. What occurs twice has a name, so that cycles are finite. */
export function source(value) {
	const writer = new Writer(counts(value))
	const expression = writer.value(value)
	if (writer.statements.length === 0) return expression
	return `(() => { ${[...writer.statements, `return ${expression}`].join("; ")} })()`
}

function counts(root) {
	const met = new Map()
	const walk = (value) => {
		if (typeof value !== "object" || value === null) return
		met.set(value, (met.get(value) ?? 0) + 1)
		if (met.get(value) === 1) for (const child of children(value)) walk(child)
	}
	walk(root)
	return met
}

function children(value) {
	if (value instanceof Map) return [...value].flat()
	if (value instanceof Set) return [...value]
	if (value instanceof Error) return "cause" in value ? [value.cause] : []
	if (ArrayBuffer.isView(value)) return []
	return Object.keys(value).map((key) => value[key])
}

class Writer {
	statements = []
	#names = new Map()
	#counts

	constructor(counts) {
		this.#counts = counts
	}

	value(value) {
		switch (typeof value) {
			case "string":
				return JSON.stringify(value)
			case "bigint":
				return `${value}n`
			case "number":
				return Object.is(value, -0) ? "-0" : String(value)
			case "function":
				return "(() => {})"
			case "symbol":
				return "Symbol()"
			case "object":
				return value === null ? "null" : this.#object(value)
		}
		return String(value)
	}

	#object(value) {
		if (this.#names.has(value)) return this.#names.get(value)
		if (this.#counts.get(value) < 2) return this.#fresh(value)
		const name = `o${this.#names.size}`
		this.#names.set(value, name)
		const fill = this.#fill(value, name)
		if (!fill) {
			this.statements.push(`const ${name} = ${this.#fresh(value)}`)
			return name
		}
		this.statements.push(`const ${name} = ${fill.empty}`)
		for (const [before, inner, after] of fill.steps) {
			const parts = inner.map((v) => this.value(v))
			this.statements.push(before + parts.join(", ") + after)
		}
		return name
	}

	/** fill tells how a container is made empty and then filled, null for what is no container. */
	#fill(value, name) {
		const member = (key) => `${name}[${JSON.stringify(key)}] = `
		if (Array.isArray(value)) return { empty: "[]", steps: [...Object.keys(value).map((key) => [member(key), [value[key]], ""]), [`${name}.length = ${value.length}`, [], ""]] }
		if (value instanceof Map) return { empty: "new Map()", steps: [...value].map((pair) => [`${name}.set(`, pair, ")"]) }
		if (value instanceof Set) return { empty: "new Set()", steps: [...value].map((item) => [`${name}.add(`, [item], ")"]) }
		if (value instanceof Error) return { empty: this.#error(value), steps: "cause" in value ? [[`${name}.cause = `, [value.cause], ""]] : [] }
		const plain = isPlain(value)
		return plain && { empty: Object.getPrototypeOf(value) ? "{}" : "Object.create(null)", steps: Object.keys(value).map((key) => [member(key), [value[key]], ""]) }
	}

	#fresh(value) {
		if (Array.isArray(value)) {
			const items = Array.from(value, (item, i) => (i in value ? this.value(item) : ""))
			const named = Object.keys(value).filter((key) => !(String(key >>> 0) === key))
			const list = `[${items.join(", ")}${value.length > 0 && !(value.length - 1 in value) ? "," : ""}]`
			return named.length === 0 ? list : `Object.assign(${list}, {${this.#members(value, named)}})`
		}
		if (value instanceof Date) return `new Date(${value.getTime()})`
		if (value instanceof RegExp) return `new RegExp(${JSON.stringify(value.source)}, ${JSON.stringify(value.flags)})`
		if (value instanceof URL) return `new URL(${JSON.stringify(value.href)})`
		if (value instanceof Map) return `new Map([${[...value].map(([k, v]) => `[${this.value(k)}, ${this.value(v)}]`).join(", ")}])`
		if (value instanceof Set) return `new Set([${[...value].map((item) => this.value(item)).join(", ")}])`
		if (value instanceof Error) return "cause" in value ? `Object.assign(${this.#error(value)}, {cause: ${this.value(value.cause)}})` : this.#error(value)
		if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${value.constructor.name}.from([${Array.from(value, (n) => this.value(n)).join(", ")}])`
		if (isPlain(value)) return Object.getPrototypeOf(value) ? `{${this.#members(value, Object.keys(value))}}` : `Object.assign(Object.create(null), {${this.#members(value, Object.keys(value))}})`
		return `/* ${Object.prototype.toString.call(value)} */ {${this.#members(value, Object.keys(value))}}`
	}

	#members(value, keys) {
		return keys.map((key) => `${JSON.stringify(key)}: ${this.value(value[key])}`).join(", ")
	}

	#error(e) {
		const made = `new ${e.constructor.name}(${e instanceof AggregateError ? "[], " : ""}${JSON.stringify(e.message)})`
		return e instanceof DOMException ? made : `Object.assign(${made}, {name: ${JSON.stringify(e.name)}})`
	}
}

/** isPlain is what the library takes for a plain object. */
export function isPlain(value) {
	if (typeof value !== "object" || value === null) return false
	const prototype = Object.getPrototypeOf(value)
	return prototype === null || prototype === Object.prototype
}
