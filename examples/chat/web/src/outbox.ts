import { load, save } from "./storage.ts"

const tries = 3 // how often a message is sent that the server does not take

/** A message of the user that has not come back from the room. */
export interface Unsent {
	readonly id: string
	readonly text: string
	readonly at: number
	/** The server has stored it. */
	stored?: boolean
	/** Why the server does not take it. */
	error?: string
	tries?: number
}

/** The messages of the user that are on their way. They outlive a reload of the page. */
export class Outbox {
	#waiting: Unsent[]

	constructor(readonly name: string) {
		this.#waiting = load<Unsent[]>(this.#key, sessionStorage) ?? []
	}

	get #key() {
		return `outbox/${this.name}`
	}

	get all(): readonly Unsent[] {
		return this.#waiting
	}

	/** The id is the same whenever the message is sent, so that it is stored once. */
	add(text: string) {
		const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
		this.#change([...this.#waiting, { id, text, at: Date.now() }])
	}

	/** The one to send now. */
	next(): Unsent | undefined {
		return this.#waiting.find(({ stored, error }) => !stored && error === undefined)
	}

	stored(unsent: Unsent) {
		unsent.stored = true
		this.#change(this.#waiting)
	}

	/** Notes that the server has not taken a message. Returns whether that is final. */
	failed(unsent: Unsent, error: string): boolean {
		unsent.tries = (unsent.tries ?? 0) + 1
		if (unsent.tries >= tries) unsent.error = error
		this.#change(this.#waiting)
		return unsent.error !== undefined
	}

	retry(unsent: Unsent) {
		delete unsent.error
		delete unsent.tries
		this.#change(this.#waiting)
	}

	remove(id: string) {
		if (this.#waiting.some((unsent) => unsent.id === id)) this.#change(this.#waiting.filter((unsent) => unsent.id !== id))
	}

	/** Forgets those that are stored: the room is read anew. */
	forgetStored() {
		this.#change(this.#waiting.filter(({ stored }) => !stored))
	}

	#change(waiting: Unsent[]) {
		this.#waiting = waiting
		save(this.#key, waiting, sessionStorage)
	}
}
