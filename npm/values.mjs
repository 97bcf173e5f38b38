// What the program may ask of the server around it, as wasm.Var and wasm.Env: values cross as JSON.

const encoder = new TextEncoder()

// The kinds of values, and the first byte of answers, as wasm/value.go has them.
const VARIABLE = 0
const UNSET = 0
const VALUE = 1
const FAILED = 2

const MAX_REASON = 1000 // of a failure, in characters

/** The values of one connection. */
export class Values {
	#variables // by name, as they were when the handler was made
	#passed // by name, the JSON of variables that another context has had
	#environment // returns a variable of the environment by its name
	#known

	/**
	 * @param {import("hono").Context} [c]
	 * @param {(c: import("hono").Context | undefined, name: string) => unknown} environment
	 * @param {(c: import("hono").Context) => Record<string, string> | undefined} passed
	 */
	constructor(c, environment, passed) {
		this.#known = c !== undefined
		this.#variables = c?.var ?? {}
		this.#passed = (c && passed(c)) ?? {}
		// Of c, no more is kept than is needed: on Deno its request is gone after the upgrade.
		const env = c?.env
		this.#environment = (name) => environment(env, name)
	}

	/** @returns {Uint8Array} the answer for the program: a byte, and then a reason, JSON, or what is wrong. */
	answer(kind, name, most) {
		try {
			const text = kind === VARIABLE ? this.#variable(name) : this.#env(name)
			if (text === undefined) return answer(UNSET, this.#known ? whyUnset(kind) : "createHonoWebSocketHandler was not given the Hono context")
			const found = answer(VALUE, text)
			if (found.byteLength - 1 <= most) return found
			return answer(FAILED, `the value has ${found.byteLength - 1} bytes of JSON, over the limit of ${most} (MaxValue in wasm.Options)`)
		} catch (error) {
			return answer(FAILED, String(error?.message ?? error).slice(0, MAX_REASON))
		}
	}

	#variable(name) {
		if (Object.hasOwn(this.#variables, name)) return toJSON(this.#variables[name])
		if (Object.hasOwn(this.#passed, name)) return this.#passed[name]
	}

	#env(name) {
		const value = this.#environment(name)
		if (Object(value) === value && ![Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value))) {
			throw new TypeError("it is a binding of objects and functions, which is no value")
		}
		return toJSON(value)
	}
}

function whyUnset(kind) {
	return kind === VARIABLE ? "no middleware before createHonoWebSocketHandler(c) has called c.set with this name" : "the server has none of this name"
}

function answer(status, text) {
	const body = encoder.encode(text)
	const bytes = new Uint8Array(1 + body.byteLength)
	bytes[0] = status
	bytes.set(body, 1)
	return bytes
}

/** The environment of Bun, Deno and Node.js, which is that of the process. */
export function processEnvironment(_env, name) {
	if (globalThis.Deno !== undefined) return Deno.env.get(name) // needs the permission for this name only
	return Object.hasOwn(process.env, name) ? process.env[name] : undefined
}

/** The environment of Workers, which Hono has in its context. */
export function bindings(env, name) {
	return Object.hasOwn(env ?? {}, name) ? env[name] : undefined
}

/**
 * JSON of all that there is. JSON.stringify alone leaves functions out, and makes {} of a Map.
 *
 * @returns {string | undefined} undefined for undefined
 */
export function toJSON(value) {
	return JSON.stringify(value, (key, value) => {
		const what = foreign(value)
		if (what !== undefined) throw new TypeError(`it has no JSON: ${what}${key === "" ? "" : ` in ${JSON.stringify(key)}`}`)
		return value
	})
}

/** @returns what a value is that JSON does not have. */
function foreign(value) {
	if (["function", "symbol", "bigint"].includes(typeof value)) return `a ${typeof value}`
	if (typeof value === "number" && !Number.isFinite(value)) return String(value)
	if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return
	const tag = Object.prototype.toString.call(value).slice("[object ".length, -1)
	if (!["Object", "String", "Number", "Boolean"].includes(tag)) return `a value of type ${tag}`
}
