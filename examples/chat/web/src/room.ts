import type { Message, Position, UpdateStringInt } from "./api.gen.ts"
import { Connection } from "./connection.ts"
import { Outbox, type Unsent } from "./outbox.ts"
import { load, save } from "./storage.ts"

export type State = "connecting" | "online" | "offline"

const typingTime = 4_000 // how long somebody is shown as writing, in milliseconds
const typingPause = 2_500 // how often the others are told
const mostKept = 3_000 // messages in the memory of the page

/**
 * A room that the user has joined, with a connection of its own. It connects again when the connection is lost, and gets what it
 * has missed. It calls `changed` after each change.
 */
export class Room {
	state: State = "connecting"
	/** What the room has said, oldest first, without a gap. */
	messages: Message[] = []
	/** There are earlier messages than those. */
	more = false
	people = new Map<string, number>()
	typing = new Map<string, ReturnType<typeof setTimeout>>()
	outbox: Outbox
	/** The number of the last message that the user has read. */
	read = 0
	/** The number of the message after which those begin that came while the user was not looking, or undefined. */
	divider: number | undefined

	#connection: Connection | undefined
	#position: Position | undefined
	#passed: (() => void)[] = [] // called when the position changes
	#loading = false
	#sending = false
	#toldTyping = 0
	#ended = false
	#wake: (() => void) | undefined

	constructor(
		readonly name: string,
		readonly user: string,
		readonly on: {
			changed(room: Room): void
			/** A message of somebody else has come. Returns whether the user sees it. */
			heard(room: Room, message: Message): boolean
			/** No connection could be made. */
			refused(): void
		}
	) {
		this.outbox = new Outbox(`${user}/${name}`)
		void this.#live()
	}

	get unread(): number {
		return this.messages.filter(({ seq, user }) => seq > this.read && user !== this.user).length
	}

	/** Notes that the user has seen all messages. */
	markRead() {
		const last = this.messages.at(-1)
		if (!last || last.seq <= this.read) return
		this.read = last.seq
		this.#saveRead()
	}

	send(text: string) {
		this.divider = undefined
		this.outbox.add(text)
		this.#toldTyping = 0
		this.on.changed(this)
		void this.#flush()
	}

	retry(unsent: Unsent) {
		this.outbox.retry(unsent)
		this.on.changed(this)
		void this.#flush()
	}

	discard(unsent: Unsent) {
		this.outbox.remove(unsent.id)
		this.on.changed(this)
	}

	/** Tells the others that the user writes, not too often. */
	tellTyping() {
		if (Date.now() - this.#toldTyping < typingPause || this.state !== "online") return
		this.#toldTyping = Date.now()
		this.#connection?.api.typing(this.name).catch(() => {}) // they need not know
	}

	/** Loads earlier messages. */
	async earlier() {
		const connection = this.#connection
		if (!connection || !this.more || this.#loading) return
		this.#loading = true
		try {
			const page = await connection.api.getMessages(this.name, this.messages[0]?.seq)
			if (connection !== this.#connection) return
			this.more = page.length > 0
			this.messages = [...page, ...this.messages]
			this.on.changed(this)
		} catch {
			// The user scrolls again.
		} finally {
			this.#loading = false
		}
	}

	/** Forgets messages that can be loaded again. */
	trim() {
		if (this.messages.length <= mostKept) return
		this.messages = this.messages.slice(-mostKept / 2)
		this.more = true
	}

	/** Connects at once if it waits, and else finds out whether the connection works. */
	hurry() {
		this.#wake?.()
		this.#connection?.check()
	}

	async leave() {
		this.#ended = true
		const connection = this.#connection
		await connection?.api.leaveRoom(this.name).catch(() => {}) // the end of the connection does it too
		connection?.close()
		this.#wake?.()
	}

	/** Keeps a connection until the user leaves. */
	async #live() {
		for (let failures = 0; !this.#ended; failures++) {
			const began = Date.now()
			try {
				const connection = await Connection.connect(this.name)
				this.#connection = connection
				try {
					await this.#begin(connection)
					await connection.closed
				} finally {
					connection.close()
					this.#connection = undefined
				}
			} catch {
				this.on.refused()
			}
			if (this.#ended) return
			if (Date.now() - began > 10_000) failures = 0
			this.state = "offline"
			this.on.changed(this)
			await this.#pause(failures)
			if (this.state === "offline") this.state = "connecting"
		}
	}

	/** Waits before the next connection: longer each time, and not as long as other pages, so that they do not come together. */
	#pause(failures: number): Promise<void> {
		const most = Math.min(20_000, 500 * 2 ** failures)
		return new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, 100 + Math.random() * most)
			this.#wake = () => {
				clearTimeout(timer)
				resolve()
			}
		}).then(() => void (this.#wake = undefined))
	}

	/** Joins the room on a new connection. */
	async #begin(connection: Connection) {
		const { api } = connection
		let early: Message[] | undefined = [] // what comes before the answer
		const joined = await api.joinRoom(
			this.name,
			(message) => {
				if (connection !== this.#connection) return
				if (early) early.push(message)
				else this.#receive(message)
			},
			this.#position
		)
		const newest = await api.getMessages(this.name)
		if (connection !== this.#connection) return
		const last = newest.at(-1)?.seq ?? 0
		if (!this.#position || joined.reset) {
			this.messages = newest
			this.more = newest.length > 0
			this.divider = undefined
			this.outbox.forgetStored()
			for (const { user, id } of newest) if (user === this.user) this.outbox.remove(id)
			this.#position = { epoch: joined.epoch, seq: Math.max(joined.seq, last) }
			this.#loadRead(joined.epoch, last)
		}
		for (const message of early) this.#receive(message)
		early = undefined
		this.state = "online"
		this.on.changed(this)

		this.people.clear()
		await api.watchPresence(this.name, (update) => connection === this.#connection && this.#present(update))
		await api.watchTyping(this.name, ({ user }) => connection === this.#connection && this.#types(user))

		// Messages that were sent before may have been stored though no answer came. If so, they have come back by now.
		while (connection.open && this.#position.seq < last) {
			await Promise.race([connection.closed, new Promise<void>((resolve) => this.#passed.push(resolve))])
		}
		void this.#flush()
	}

	#receive(message: Message) {
		if (!this.#position || message.seq <= this.#position.seq) return
		this.#position.seq = message.seq
		for (const passed of this.#passed.splice(0)) passed()
		this.messages.push(message)
		this.#stopTyping(message.user)
		if (message.user === this.user) this.outbox.remove(message.id)
		else if (!this.on.heard(this, message)) this.divider ??= this.read
		this.on.changed(this)
	}

	#present({ reset, set, deleted }: UpdateStringInt) {
		if (reset) this.people.clear()
		for (const { key, value } of set) this.people.set(key, value)
		for (const key of deleted) this.people.delete(key)
		this.on.changed(this)
	}

	#types(user: string) {
		if (user === this.user) return
		this.#stopTyping(user)
		this.typing.set(user, setTimeout(() => {
			this.#stopTyping(user)
			this.on.changed(this)
		}, typingTime))
		this.on.changed(this)
	}

	#stopTyping(user: string) {
		clearTimeout(this.typing.get(user))
		this.typing.delete(user)
	}

	/** Sends what waits, one message after the other so that they keep their order. */
	async #flush() {
		if (this.#sending) return
		this.#sending = true
		try {
			for (let next = this.outbox.next(); next; next = this.outbox.next()) {
				const connection = this.#connection
				if (!connection?.open || this.state !== "online") return
				try {
					await connection.api.sendMessage(next.text, this.name, next.id)
					this.outbox.stored(next)
				} catch (error) {
					if (!connection.open) return // it is sent again with the same id
					if (!this.outbox.failed(next, (error as Error).message)) await new Promise((resolve) => setTimeout(resolve, 1_000))
				}
				this.on.changed(this)
			}
		} finally {
			this.#sending = false
		}
	}

	#loadRead(epoch: string, last: number) {
		const known = load<Position>(`read/${this.user}/${this.name}`)
		this.read = known?.epoch === epoch ? known.seq : last // a newcomer has nothing to catch up with
		if (known?.epoch !== epoch) this.#saveRead()
		if (this.unread > 0) this.divider = this.read
	}

	#saveRead() {
		if (this.#position) save(`read/${this.user}/${this.name}`, { epoch: this.#position.epoch, seq: this.read })
	}
}
