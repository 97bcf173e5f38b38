// The storage, the alarm and the sleep of a Durable Object for a Go program: package wasm/durable is the other side.

import { toJSON } from "./values.mjs"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const MAX_REASON = 1000 // of a failure, in characters

// The first byte of an answer: entries follow, or a reason. An entry has its kind in the byte behind its lengths.
const DONE = 0
const FAILED = 1
const HEAD = 9
const JSON_VALUE = 0
const BYTES_VALUE = 1

/**
 * @typedef {import("./host.mjs").Exports} Exports
 * @typedef {Pick<DurableObjectTransaction, "get" | "put" | "delete" | "list" | "getAlarm" | "setAlarm" | "deleteAlarm">} Store the storage, or a transaction of it
 * @typedef {[key: string, value: unknown]} Entry
 */

/** The object, as one program of it uses it. It implements DurableSide of host.mjs. */
export class Durable {
	#program
	#storage
	#sockets
	/** @type {Map<number, {store: Store, commit: () => void, rollback: () => void, done: Promise<void>}>} */
	#transactions = new Map()
	/** @type {Map<number, {resolve: () => void, reject: (error: unknown) => void}>} */
	#alarms = new Map()
	#last = 0 // token of an alarm
	/** @type {import("./host.mjs").Timer} */
	#soon // until the program is asked whether it rests
	/** @type {import("./host.mjs").Timer} */
	#awake // keeps the object from sleeping
	#resting = false // the program runs because it was asked
	#dead = false
	hibernates = false

	/**
	 * @param {import("./fetch.mjs").Program} program
	 * @param {DurableObjectStorage} storage
	 * @param {{save: (id: number, state: Uint8Array, reserve: number) => number, broken: (id: number) => void}} sockets keep
	 *   what the program says of connections
	 */
	constructor(program, storage, sockets) {
		this.#program = program
		this.#storage = storage
		this.#sockets = sockets
	}

	/**
	 * The functions that the program imports.
	 *
	 * @returns {import("./host.mjs").Imports}
	 */
	get imports() {
		const bytes = (/** @type {number} */ at, /** @type {number} */ length) => this.#program.bytes(at, length).slice()
		return {
			durable: (token, at, length, blobAt, blobLength, most) => {
				void this.#answer(token, decoder.decode(bytes(at, length)), bytes(blobAt, blobLength), most)
				return 1
			},
			durable_save: (id, at, length, reserve) => this.#sockets.save(id, bytes(at, length), reserve),
			durable_rested: (milliseconds) => {
				clearTimeout(this.#awake)
				this.#awake = milliseconds === 0 ? undefined : setTimeout(() => this.#ask((exports) => exports.kkrpc_durable_sleep()), milliseconds)
			},
			durable_alarmed: (token, at, length) => {
				const alarm = this.#alarms.get(token)
				this.#alarms.delete(token)
				if (length === 0) alarm?.resolve()
				else alarm?.reject(new Error(`kkrpc: the alarm has failed: ${decoder.decode(bytes(at, length))}`))
			},
			durable_broken: (id) => this.#sockets.broken(id),
		}
	}

	/** @param {Exports} exports */
	started(exports) {
		this.hibernates = exports.kkrpc_durable_hibernates?.() === 1
	}

	/** Is told that all goroutines wait. The program is asked later, behind others that come in this moment. */
	left() {
		if (!this.hibernates || this.#resting || this.#soon !== undefined) return
		this.#soon = setTimeout(() => {
			this.#soon = undefined
			this.#ask((exports) => exports.kkrpc_durable_rest())
		}, 0)
	}

	/** @param {(exports: Exports) => void} f */
	#ask(f) {
		this.#resting = true
		this.#program.enter(undefined, f)
		this.#resting = false
	}

	/** Is told that the program has ended. */
	drop() {
		this.#dead = true
		clearTimeout(this.#soon)
		clearTimeout(this.#awake)
		for (const { rollback } of this.#transactions.values()) rollback()
		for (const { reject } of this.#alarms.values()) reject(new Error("kkrpc: the Go program has ended"))
	}

	/** @param {number} connections */
	wake(connections) {
		this.#program.enter(undefined, (exports) => exports.kkrpc_durable_wake?.(connections))
	}

	/**
	 * @param {number} retries
	 * @returns {Promise<void>}
	 */
	alarm(retries) {
		return new Promise((resolve, reject) => {
			const token = ++this.#last
			this.#alarms.set(token, { resolve, reject })
			this.#program.enter(undefined, (exports) => {
				if (exports.kkrpc_durable_alarm !== undefined) return exports.kkrpc_durable_alarm(token, retries)
				this.#alarms.delete(token)
				reject(new Error("kkrpc: an alarm is due, and the Go program does not import package wasm/durable"))
			})
		})
	}

	/**
	 * Does an operation and answers it.
	 *
	 * @param {number} token
	 * @param {string} text
	 * @param {Uint8Array} blob
	 * @param {number} most the size of the answer, in bytes
	 */
	async #answer(token, text, blob, most) {
		await undefined // nothing is called while the program runs
		let answer
		try {
			answer = write(await this.#operate(JSON.parse(text), blob), most)
		} catch (/** @type {any} */ error) {
			const reason = encoder.encode(String(error?.message ?? error).slice(0, MAX_REASON))
			answer = new Uint8Array(1 + reason.byteLength)
			answer[0] = FAILED
			answer.set(reason, 1)
		}
		if (this.#dead) return
		this.#program.enter(undefined, (exports) => {
			const at = exports.kkrpc_durable_buffer(answer.byteLength)
			this.#program.bytes(at, answer.byteLength).set(answer)
			exports.kkrpc_durable_answered(token)
		})
	}

	/**
	 * @param {[transaction: number, operation: string, ...of: any[]]} operation as package wasm/durable writes it
	 * @param {Uint8Array} blob
	 * @returns {Promise<Iterable<Entry>>}
	 */
	async #operate([id, operation, ...of], blob) {
		if (operation === "begin") return this.#begin(id)
		const transaction = this.#transactions.get(id)
		if (id !== 0 && transaction === undefined) throw new Error("the transaction has ended")
		/** @type {Store} */
		const store = transaction?.store ?? this.#storage
		switch (operation) {
			case "get": {
				const value = await store.get(of[0])
				return value === undefined ? [] : [["", value]]
			}
			case "put":
				await store.put(of[0], of[1] ? blob : JSON.parse(decoder.decode(blob)))
				return []
			case "delete":
				return (await store.delete(of[0])) ? [["", true]] : []
			case "deleteAll":
				if (transaction !== undefined) throw new Error("a transaction cannot do it")
				await this.#storage.deleteAll()
				return []
			case "list": {
				const [prefix, start, end, limit, reverse] = of
				return store.list({ prefix, start: start || undefined, end: end || undefined, limit: limit || undefined, reverse })
			}
			case "setAlarm":
				await store.setAlarm(of[0])
				return []
			case "getAlarm": {
				const at = await store.getAlarm()
				return at === null ? [] : [["", at]]
			}
			case "deleteAlarm":
				await store.deleteAlarm()
				return []
			case "commit":
			case "rollback":
				this.#transactions.delete(id)
				transaction?.[operation]()
				await transaction?.done
				return []
			default:
				throw new Error(`there is no operation ${operation}`)
		}
	}

	/**
	 * Begins a transaction, which lasts until it is committed or rolled back.
	 *
	 * @param {number} id
	 * @returns {Promise<Entry[]>}
	 */
	#begin(id) {
		return new Promise((begun, failed) => {
			const undone = new Error("rolled back")
			let again = false
			const done = this.#storage
				.transaction(
					(store) =>
						new Promise((/** @type {(nothing?: undefined) => void} */ resolve, reject) => {
							if (again) return reject(new Error("the storage asks for it again, and has done nothing; try again"))
							again = true
							this.#transactions.set(id, { store, commit: () => resolve(), rollback: () => reject(undone), done })
							begun([])
						}),
				)
				.catch((error) => {
					if (error === undone) return
					failed(error)
					throw error
				})
			done.catch(() => {}) // whoever commits sees it
		})
	}
}

/**
 * @param {Iterable<Entry>} entries
 * @param {number} most
 */
function write(entries, most) {
	/** @type {[key: Uint8Array, value: Uint8Array, kind: number][]} */
	const parts = []
	let size = 0
	for (const [key, value] of entries) {
		const name = encoder.encode(key)
		const [data, kind] = encoded(value)
		size += name.byteLength + data.byteLength
		if (size > most) {
			const what = key === "" ? `the value has ${size} bytes` : `the values up to key ${JSON.stringify(key)} have ${size} bytes`
			throw new RangeError(`${what}, over the limit of ${most} (MaxValue in durable.Options)`)
		}
		parts.push([name, data, kind])
	}
	const answer = new Uint8Array(1 + HEAD * parts.length + size)
	const view = new DataView(answer.buffer)
	answer[0] = DONE
	let at = 1
	for (const [key, data, kind] of parts) {
		view.setUint32(at, key.byteLength, true)
		view.setUint32(at + 4, data.byteLength, true)
		view.setUint8(at + 8, kind)
		answer.set(key, at + HEAD)
		answer.set(data, at + HEAD + key.byteLength)
		at += HEAD + key.byteLength + data.byteLength
	}
	return answer
}

/**
 * @param {unknown} value
 * @returns {[data: Uint8Array, kind: number]}
 */
function encoded(value) {
	if (value instanceof ArrayBuffer) return [new Uint8Array(value), BYTES_VALUE]
	if (ArrayBuffer.isView(value)) return [new Uint8Array(value.buffer, value.byteOffset, value.byteLength), BYTES_VALUE]
	return [encoder.encode(toJSON(value) ?? "null"), JSON_VALUE]
}
