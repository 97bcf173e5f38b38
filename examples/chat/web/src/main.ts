import { Composer } from "./composer.ts"
import { avatar, byId, make, show } from "./dom.ts"
import { MessageList } from "./messages.ts"
import { Room } from "./room.ts"
import { load, save } from "./storage.ts"
import "./style.css"

interface Visitor {
	user: string
	rooms: string[]
}

/** The chat of a user who has signed in. */
class Chat {
	#rooms = new Map<string, Room>()
	#open: Room | undefined
	#list = new MessageList((room) => this.#seen(room))
	#composer = new Composer((text) => this.#send(text), () => this.#open?.tellTyping())
	#drawing = false

	constructor(readonly visitor: Visitor, readonly signedOut: () => void) {
		byId("me").replaceChildren(avatar(visitor.user), make("span", "", visitor.user))
		byId("chat").hidden = false
		for (const name of load<string[]>(this.#stored("rooms")) ?? visitor.rooms) this.#join(name)
		this.#listen()
		const wanted = decodeURIComponent(location.hash.slice(1)) || load<string>(this.#stored("open"))
		this.#show(wanted && (this.#rooms.has(wanted) || valid(wanted)) ? wanted : visitor.rooms[0] ?? "lobby")
	}

	#stored(what: string) {
		return `${what}/${this.visitor.user}`
	}

	#join(name: string): Room {
		const room = new Room(name, this.visitor.user, {
			changed: () => this.#draw(),
			heard: (room) => room === this.#open && this.#list.looking,
			refused: () => void this.#refused()
		})
		this.#rooms.set(name, room)
		save(this.#stored("rooms"), [...this.#rooms.keys()])
		return room
	}

	#show(name: string) {
		const room = this.#rooms.get(name) ?? this.#join(name)
		if (this.#open && this.#open !== room) this.#open.divider = undefined
		this.#open = room
		history.replaceState(null, "", `#${name}`)
		save(this.#stored("open"), name)
		byId("chat").classList.remove("rooms-open")
		this.#composer.open(this.visitor.user, name)
		this.#list.open(room)
		this.#draw()
		if (matchMedia("(hover: hover)").matches) this.#composer.focus() // a phone would open its keyboard
	}

	#leave() {
		const room = this.#open
		if (!room) return
		if (!confirm(`Leave #${room.name}?`)) return
		this.#rooms.delete(room.name)
		void room.leave()
		save(this.#stored("rooms"), [...this.#rooms.keys()])
		this.#open = undefined
		this.#show([...this.#rooms.keys()][0] ?? this.visitor.rooms[0] ?? "lobby")
	}

	#send(text: string) {
		this.#open?.send(text)
		this.#list.toEnd()
	}

	#seen(room: Room) {
		const before = room.unread
		room.markRead()
		if (before > 0) this.#draw()
	}

	/** Finds out whether no connection could be made because the user is not signed in any more. */
	async #refused() {
		const response = await fetch("/session").catch(() => undefined)
		if (response?.status === 401) this.signedOut()
	}

	#listen() {
		const chat = byId("chat")
		byId("room-list").addEventListener("click", ({ target }) => {
			const name = (target as HTMLElement).closest<HTMLElement>("button")?.dataset.room
			if (name) this.#show(name)
		})
		byId("new-room").addEventListener("submit", (event) => {
			event.preventDefault()
			const field = byId<HTMLInputElement>("new-room-name")
			const name = field.value.trim().replace(/^#/, "").toLowerCase().replace(/\s+/g, "-")
			field.setCustomValidity(valid(name) ? "" : "A room has a name of letters a to z, digits and hyphens.")
			if (!field.reportValidity()) return
			field.value = ""
			this.#show(name)
		})
		byId("new-room-name").addEventListener("input", ({ target }) => (target as HTMLInputElement).setCustomValidity(""))
		byId("leave").addEventListener("click", () => this.#leave())
		byId("sign-out").addEventListener("click", async () => {
			await fetch("/session", { method: "DELETE" }).catch(() => {})
			this.signedOut()
		})
		byId("open-rooms").addEventListener("click", () => {
			chat.classList.add("rooms-open")
			byId("close-rooms").focus()
		})
		byId("close-rooms").addEventListener("click", () => {
			this.#closePanels()
			byId("open-rooms").focus()
		})
		byId("open-people").addEventListener("click", () => {
			if (chat.classList.toggle("people-open")) byId("close-people").focus()
			this.#draw()
		})
		byId("close-people").addEventListener("click", () => {
			this.#closePanels()
			byId("open-people").focus()
		})
		document.querySelector("main")!.addEventListener("click", ({ target }) => {
			if (!(target as HTMLElement).closest("#open-rooms, #open-people")) this.#closePanels() // beside an open panel
		})

		document.addEventListener("keydown", (event) => {
			if (event.key === "Escape") {
				this.#closePanels()
				this.#list.toEnd()
				this.#composer.focus()
			} else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
				event.preventDefault()
				const names = [...this.#rooms.keys()]
				const at = names.indexOf(this.#open?.name ?? "")
				const next = names[(at + (event.key === "ArrowUp" ? -1 : 1) + names.length) % names.length]
				if (next !== undefined) this.#show(next)
			} else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && document.activeElement?.matches("body, #scroll")) {
				if (event.key !== " ") this.#composer.focus() // which gets the key
			}
		})
		const back = () => {
			for (const room of this.#rooms.values()) room.hurry()
			this.#list.update()
			this.#list.atOnce()
		}
		window.addEventListener("online", back)
		window.addEventListener("offline", () => this.#draw())
		window.addEventListener("focus", () => this.#list.atOnce())
		window.addEventListener("pageshow", (event) => event.persisted && back())
		document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && back())
		window.addEventListener("hashchange", () => {
			const name = decodeURIComponent(location.hash.slice(1))
			if (valid(name) && name !== this.#open?.name) this.#show(name)
		})
		window.addEventListener("storage", ({ key, newValue }) => { // another page of the user has read
			for (const room of this.#rooms.values()) {
				if (key !== `read/${this.visitor.user}/${room.name}` || !newValue) continue
				room.read = Math.max(room.read, JSON.parse(newValue).seq)
				this.#draw()
			}
		})
	}

	#closePanels() {
		byId("chat").classList.remove("rooms-open", "people-open")
		this.#draw()
	}

	/** Shows what has changed, once for all that changes at once. */
	#draw() {
		if (this.#drawing) return
		this.#drawing = true
		queueMicrotask(() => {
			this.#drawing = false
			this.#drawRooms()
			this.#drawOpen()
		})
	}

	#drawRooms() {
		let all = 0
		let elsewhere = 0
		const rows = [...this.#rooms.values()].map((room) => {
			const unread = room.unread
			all += unread
			if (room !== this.#open) elsewhere += unread
			const open = room === this.#open
			return { key: room.name, version: `${unread} ${open} ${room.state}`, make: () => roomRow(room, unread, open) }
		})
		const list = byId("room-list")
		const focused = (document.activeElement as HTMLElement | null)?.dataset.room
		show(list, rows)
		if (focused) list.querySelector<HTMLElement>(`[data-room="${focused}"]`)?.focus()
		document.title = `${all > 0 ? `(${all}) ` : ""}#${this.#open?.name ?? ""} – Chat`
		byId("elsewhere").textContent = String(elsewhere)
		byId("elsewhere").hidden = elsewhere === 0
	}

	#drawOpen() {
		const room = this.#open
		if (!room) return
		this.#list.update()
		byId("title").textContent = `# ${room.name}`
		const state = navigator.onLine ? { connecting: "Connecting …", online: "", offline: "Connection lost. Trying again …" }[room.state] : "You are offline"
		if (byId("state").textContent !== state) byId("state").textContent = state
		byId("chat").dataset.state = room.state

		const people = [...room.people.keys()].sort((a, b) => a.localeCompare(b))
		const count = people.length === 1 ? "1 person" : `${people.length} people`
		byId("people-title").textContent = `${count} here`
		byId("open-people").textContent = count
		byId("open-people").ariaExpanded = String(byId("chat").classList.contains("people-open"))
		show(byId("people-list"), people.map((user) => ({
			key: user,
			version: "",
			make: () => {
				const row = make("li")
				row.append(avatar(user), make("span", "", user))
				if (user === this.visitor.user) row.append(make("span", "you", "you"))
				return row
			}
		})))

		const typing = [...room.typing.keys()]
		byId("typing").textContent = typing.length === 0 ? ""
			: typing.length === 1 ? `${typing[0]} is writing …`
			: typing.length === 2 ? `${typing[0]} and ${typing[1]} are writing …`
			: "Several people are writing …"
	}
}

function roomRow(room: Room, unread: number, open: boolean): HTMLElement {
	const row = make("li")
	const button = make("button", unread > 0 ? "unread" : "")
	button.dataset.room = room.name
	if (open) button.ariaCurrent = "page"
	button.append(make("span", "", `# ${room.name}`))
	if (room.state !== "online") button.classList.add("away")
	if (unread > 0) {
		const badge = make("span", "badge", String(unread))
		badge.ariaLabel = `${unread} unread`
		button.append(badge)
	}
	row.append(button)
	return row
}

/** What the server takes as the name of a room. */
function valid(name: string): boolean {
	return /^[a-z0-9-]{1,32}$/.test(name)
}

/** Asks for a name until the server takes it. */
function signIn(): Promise<Visitor> {
	const form = byId<HTMLFormElement>("sign-in")
	const name = byId<HTMLInputElement>("name")
	form.hidden = false
	name.focus()
	return new Promise((resolve) => {
		form.onsubmit = async (event) => {
			event.preventDefault()
			const error = byId("sign-in-error")
			error.textContent = ""
			try {
				const response = await fetch("/session", { method: "POST", body: JSON.stringify({ name: name.value }) })
				if (!response.ok) throw new Error(await response.text())
				const visitor = await response.json()
				form.hidden = true
				resolve(visitor)
			} catch (reason) {
				error.textContent = reason instanceof TypeError ? "The server cannot be reached. Try again." : (reason as Error).message
			}
		}
	})
}

/** Returns who the user is, or undefined. While the server cannot be reached, it waits. */
async function session(): Promise<Visitor | undefined> {
	for (;;) {
		const response = await fetch("/session").catch(() => undefined)
		if (response?.ok) return response.json()
		if (response?.status === 401) return undefined
		await new Promise((resolve) => setTimeout(resolve, 1_000))
	}
}

new Chat((await session()) ?? (await signIn()), () => location.reload())
