import type { Message } from "./api.gen.ts"
import { appendText, avatar, byId, make, type Row, show } from "./dom.ts"
import type { Unsent } from "./outbox.ts"
import type { Room } from "./room.ts"

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" })

const together = 5 * 60_000 // messages of one user within this time have one head, in milliseconds
const nearEnd = 40 // pixels

/** The messages of one room, and where the user reads. */
export class MessageList {
	#scroll = byId("scroll")
	#list = byId("messages")
	#beginning = byId("beginning")
	#newest = byId<HTMLButtonElement>("newest")
	#room: Room | undefined
	#atEnd = true // the user reads the newest messages, and the list follows them

	constructor(readonly seen: (room: Room) => void) {
		this.#scroll.addEventListener("scroll", () => this.#scrolled())
		this.#newest.addEventListener("click", () => this.toEnd())
		new ResizeObserver(() => this.#follow()).observe(this.#scroll) // the keyboard of a phone opens
	}

	/** Whether the user sees a message that comes now. */
	get looking(): boolean {
		return this.#atEnd && document.visibilityState === "visible" && document.hasFocus()
	}

	open(room: Room) {
		const unread = room.unread > 0
		if (unread) room.divider ??= room.read
		this.#room = room
		this.#atEnd = !unread
		this.#list.replaceChildren()
		this.update()
		if (unread) {
			this.#list.querySelector(".divider")?.scrollIntoView({ block: "center" })
			this.#scrolled()
		}
	}

	/** Notes what the user sees now. */
	atOnce() {
		this.#tell()
	}

	toEnd() {
		this.#atEnd = true
		this.#follow()
	}

	/** Shows what the room has now. */
	update() {
		const room = this.#room
		if (!room) return
		if (this.#atEnd) room.trim()
		const height = this.#scroll.scrollHeight
		const first = this.#list.querySelector<HTMLElement>("[data-key^=m]")?.dataset.key
		this.#list.ariaBusy = String(first === undefined && room.messages.length !== 1) // nobody wants the history read out
		show(this.#list, rows(room))
		this.#beginning.hidden = room.more || room.state === "connecting"
		this.#beginning.textContent = room.messages.length > 0 ? `This is where #${room.name} begins.` : `Nobody has said anything in #${room.name} yet.`
		if (this.#atEnd) this.#follow()
		else if (first && this.#list.querySelector("[data-key^=m]")?.getAttribute("data-key") !== first) {
			this.#scroll.scrollTop += this.#scroll.scrollHeight - height // earlier ones have come above
		}
		this.#showNewest()
	}

	#showNewest() {
		this.#newest.hidden = this.#atEnd
		const unread = this.#room?.unread ?? 0
		this.#newest.textContent = unread > 0 ? `↓ ${unread} new` : "↓ Newest"
	}

	#follow() {
		if (this.#atEnd) this.#scroll.scrollTop = this.#scroll.scrollHeight
		this.#tell()
	}

	#scrolled() {
		const { scrollTop, scrollHeight, clientHeight } = this.#scroll
		this.#atEnd = scrollHeight - scrollTop - clientHeight < nearEnd
		if (scrollTop < 300) void this.#room?.earlier()
		this.#showNewest()
		this.#tell()
	}

	#tell() {
		if (this.#room && this.looking && this.#room.state !== "connecting") this.seen(this.#room)
	}
}

function rows(room: Room): Row[] {
	const all: Row[] = []
	let before: { user: string; at: number } | undefined
	let lastDay = ""
	let divided = room.divider === undefined
	const add = (user: string, at: Date, seq: number, key: string, version: string, make: (head: boolean) => HTMLElement) => {
		const today = day.format(at)
		if (today !== lastDay) {
			all.push({ key: `d${key}`, version: today, make: () => heading("day", today) })
			before = undefined
		}
		if (!divided && seq > room.divider! && user !== room.user) {
			all.push({ key: "new", version: "", make: () => heading("divider", "New") })
			before = undefined
			divided = true
		}
		const head = before?.user !== user || at.getTime() - before.at > together
		all.push({ key, version: `${version} ${head}`, make: () => make(head) })
		before = { user, at: at.getTime() }
		lastDay = today
	}
	for (const message of room.messages) {
		add(message.user, message.at, message.seq, `m${message.seq}`, "", (head) => row(message, head, room.user))
	}
	for (const unsent of room.outbox.all) {
		const at = new Date(unsent.at)
		add(room.user, at, 0, `o${unsent.id}`, unsent.error ?? "", (head) => unsentRow(unsent, head, room))
	}
	return all
}

function heading(className: string, text: string): HTMLElement {
	const element = make("li", className)
	element.append(make("span", "", text))
	return element
}

function row({ user, at, text }: Pick<Message, "user" | "at" | "text">, head: boolean, me: string): HTMLElement {
	const element = make("li", user === me ? "message own" : "message")
	if (head) {
		element.classList.add("head")
		const line = make("div", "who")
		line.append(make("strong", "", user), stamp(at))
		element.append(avatar(user), line)
	} else {
		element.append(stamp(at))
	}
	const body = make("div", "text")
	appendText(body, text)
	element.append(body)
	return element
}

function stamp(at: Date): HTMLElement {
	const element = make("time", "", time.format(at))
	element.dateTime = at.toISOString()
	element.title = exact.format(at)
	return element
}

function unsentRow(unsent: Unsent, head: boolean, room: Room): HTMLElement {
	const element = row({ user: room.user, at: new Date(unsent.at), text: unsent.text }, head, room.user)
	element.classList.add("pending")
	const note = make("div", "note")
	if (unsent.error === undefined) {
		note.textContent = "Sending …"
	} else {
		element.classList.add("failed")
		const retry = make("button", "plain", "Send again")
		retry.onclick = () => room.retry(unsent)
		const discard = make("button", "plain", "Delete")
		discard.onclick = () => room.discard(unsent)
		note.append(`Not sent: ${unsent.error} `, retry, discard)
	}
	element.append(note)
	return element
}
