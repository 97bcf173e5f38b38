// What the program may ask of the server around it, as wasm.Var, wasm.Env and wasm.Do: values cross as JSON.

const encoder = new TextEncoder()

// The kinds of values, and the first byte of answers, as wasm/value.go has them.
const VARIABLE = 0
const UNSET = 0
const VALUE = 1
const FAILED = 2
const BYTES = 3

const NONE = "the server has none of this name"
const NOT_SET = "no middleware before createHonoWebSocketHandler(c) has called c.set with this name"
const NO_CONTEXT = "createHonoWebSocketHandler was not given the Hono context"

const PLAIN = ["Object", "String", "Number", "Boolean"]
const KEEPERS = ["Map", "Set", "WeakMap", "WeakSet", "Promise", "Error", "RegExp"] // of what their members do not tell

const MAX_REASON = 1000 // of a failure, in characters

/** @typedef {(env?: any) => (name: string) => unknown} Environment */

/** @typedef {string | {failure: string}} Kept the JSON of a variable, or why it has none */

/** The values of one connection. */
export class Values {
	/** @type {Record<string, unknown>} */
	#variables // by name, as they were when the handler was made
	/** @type {Record<string, Kept>} */
	#passed // by name, variables that another context has had, or this one, if it does not live as long as the connection
	#environment // returns a variable of the environment by its name
	#known

	/**
	 * @param {import("hono").Context | undefined} c
	 * @param {Environment} environment takes c.env
	 * @param {(c: import("hono").Context) => Record<string, string> | undefined} passed
	 */
	constructor(c, environment, passed) {
		this.#known = c !== undefined
		this.#variables = c?.var ?? {}
		this.#passed = (c && passed(c)) ?? {}
		this.#environment = environment(c?.env)
	}

	/**
	 * The values of a connection whose context is gone.
	 *
	 * @param {Record<string, Kept>} variables by name
	 * @param {(name: string) => unknown} [environment]
	 */
	static of(variables, environment = () => undefined) {
		const values = new Values(
			undefined,
			() => environment,
			() => undefined,
		)
		values.#known = true
		values.#passed = variables
		return values
	}

	/**
	 * @param {number} kind
	 * @param {string} name
	 * @param {number} most
	 * @returns {Uint8Array} the answer for the program: a byte, and then a reason, JSON, or what is wrong
	 */
	answer(kind, name, most) {
		try {
			const text = kind === VARIABLE ? this.#variable(name) : this.#env(name)
			if (text === undefined) return answer(UNSET, this.#why(kind))
			return bounded(VALUE, text, most)
		} catch (error) {
			return failed(error)
		}
	}

	/**
	 * Calls methods of a binding, each on what the one before it has given.
	 *
	 * @param {string} text the calls, as Binding.encode in wasm/binding.go writes them
	 * @param {Uint8Array} blob the bytes among their arguments
	 * @param {number} most the size of the answer, in bytes
	 * @returns {Promise<Uint8Array>} the answer for the program; it does not reject
	 */
	async run(text, blob, most) {
		await undefined // nothing is called while the program runs
		try {
			/** @type {[string, ...[string, ...(string | [number])[]][]]} */
			const [name, ...calls] = JSON.parse(text)
			let result = this.#environment(name)
			/** @type {string | undefined} */
			let last // the method that has given it
			for (const [method, ...args] of calls) {
				if (result === undefined || result === null) {
					return answer(UNSET, last === undefined ? this.#why() : `${last} has given ${result}`)
				}
				result = await call(
					result,
					method,
					args.map((arg) => {
						if (typeof arg === "string") return JSON.parse(arg)
						const bytes = blob.slice(0, arg[0])
						blob = blob.subarray(arg[0])
						return bytes
					}),
				)
				last = method
			}
			if (calls.length === 0) throw new TypeError("no method is called")
			if (result instanceof ArrayBuffer) return bounded(BYTES, new Uint8Array(result), most)
			if (ArrayBuffer.isView(result)) return bounded(BYTES, new Uint8Array(result.buffer, result.byteOffset, result.byteLength), most)
			return bounded(VALUE, toJSON(result) ?? "null", most)
		} catch (error) {
			return failed(error)
		}
	}

	/**
	 * @param {number} [kind]
	 * @returns why there is no value
	 */
	#why(kind) {
		if (kind === VARIABLE) return this.#known ? NOT_SET : NO_CONTEXT
		return this.#known ? NONE : `${NONE}, and ${NO_CONTEXT}`
	}

	/** @param {string} name */
	#variable(name) {
		if (Object.hasOwn(this.#variables, name)) return toJSON(this.#variables[name])
		if (!Object.hasOwn(this.#passed, name)) return
		const kept = this.#passed[name]
		if (typeof kept === "string") return kept
		throw new TypeError(kept.failure)
	}

	/**
	 * The variables as they are now, for Values.of.
	 *
	 * @returns {Record<string, Kept>}
	 */
	kept() {
		/** @type {Record<string, Kept>} */
		const variables = Object.assign(Object.create(null), this.#passed)
		for (const name of Object.keys(this.#variables)) {
			try {
				const text = toJSON(this.#variables[name])
				if (text !== undefined) variables[name] = text
				else delete variables[name]
			} catch (error) {
				variables[name] = { failure: reason(error) }
			}
		}
		return variables
	}

	/** @param {string} name */
	#env(name) {
		const value = this.#environment(name)
		if (Object(value) === value && ![Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value))) {
			throw new TypeError("it is a binding of objects and functions, which is no value")
		}
		return toJSON(value)
	}
}

/**
 * @param {any} object
 * @param {string} method
 * @param {unknown[]} args
 */
function call(object, method, args) {
	if (Object(object) !== object) throw new TypeError(`${method} is called on a ${typeof object}`)
	// What all objects and functions have is no method of a binding, and leads out of it.
	const common = method in Object.prototype || (typeof object === "function" && method in Function.prototype)
	if (common || typeof object[method] !== "function") throw new TypeError(`there is no method ${method}`)
	return object[method](...args)
}

/** @param {unknown} error */
function failed(error) {
	return answer(FAILED, reason(error))
}

/** @param {any} error */
function reason(error) {
	return String(error?.message ?? error).slice(0, MAX_REASON)
}

/**
 * @param {number} status
 * @param {string | Uint8Array} body
 * @param {number} most
 */
function bounded(status, body, most) {
	const found = answer(status, body)
	const size = found.byteLength - 1
	if (size <= most) return found
	const what = status === VALUE ? "bytes of JSON" : "bytes"
	return answer(FAILED, `the value has ${size} ${what}, over the limit of ${most} (MaxValue in wasm.Options)`)
}

/**
 * @param {number} status
 * @param {string | Uint8Array} body
 */
function answer(status, body) {
	if (typeof body === "string") body = encoder.encode(body)
	const bytes = new Uint8Array(1 + body.byteLength)
	bytes[0] = status
	bytes.set(body, 1)
	return bytes
}

/**
 * The environment of Bun, Deno and Node.js is that of the process. It does not keep Hono's, which has the request.
 *
 * @returns {(name: string) => unknown}
 */
export function processEnvironment() {
	if (globalThis.Deno !== undefined) return (name) => Deno.env.get(name) // needs the permission for this name only
	return (name) => (Object.hasOwn(process.env, name) ? process.env[name] : undefined)
}

/**
 * The environment of Workers, which Hono has in its context.
 *
 * @param {Record<string, unknown>} env
 */
export function bindings(env = {}) {
	return (/** @type {string} */ name) => (Object.hasOwn(env, name) ? env[name] : undefined)
}

/**
 * JSON of all that there is. JSON.stringify alone leaves functions out, and makes {} of a Map.
 *
 * @param {unknown} value
 * @returns {string | undefined} undefined for undefined
 */
export function toJSON(value) {
	return JSON.stringify(value, (key, value) => {
		const what = foreign(value)
		if (what !== undefined) throw new TypeError(`it has no JSON: ${what}${key === "" ? "" : ` in ${JSON.stringify(key)}`}`)
		return value
	})
}

/**
 * @param {unknown} value
 * @returns what a value is that JSON does not have
 */
function foreign(value) {
	if (["function", "symbol", "bigint"].includes(typeof value)) return `a ${typeof value}`
	if (typeof value === "number" && !Number.isFinite(value)) return String(value)
	if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return
	const tag = Object.prototype.toString.call(value).slice("[object ".length, -1)
	// Objects of the runtime that have members have JSON, as those that an R2 bucket returns. Members of Request are not its own.
	if (KEEPERS.includes(tag) || (!PLAIN.includes(tag) && Object.keys(value).length === 0)) return `a value of type ${tag}`
}
