/** The element of index.html with an id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
	return document.getElementById(id) as T
}

/** Makes an element with a text. Texts of users are never taken for HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", text = ""): HTMLElementTagNameMap[K] {
	const element = document.createElement(tag)
	if (className) element.className = className
	if (text) element.textContent = text
	return element
}

/** Something to show in a list. It is made anew when its version changes. */
export interface Row {
	key: string
	version: string
	make(): HTMLElement
}

/** Makes the children of a list these rows, and leaves alone those that are there. */
export function show(list: HTMLElement, rows: Row[]) {
	const before = new Map<string, HTMLElement>()
	for (const child of list.children as HTMLCollectionOf<HTMLElement>) before.set(child.dataset.key!, child)
	let next = list.firstElementChild as HTMLElement | null
	for (const row of rows) {
		let child = before.get(row.key)
		before.delete(row.key)
		if (child && child.dataset.version !== row.version) {
			if (child === next) next = next.nextElementSibling as HTMLElement | null
			child.remove()
			child = undefined
		}
		if (!child) {
			child = row.make()
			child.dataset.key = row.key
			child.dataset.version = row.version
		}
		if (child === next) next = next.nextElementSibling as HTMLElement | null
		else list.insertBefore(child, next)
	}
	for (const child of before.values()) child.remove()
}

const link = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}']/g

/** Appends a text, whose addresses become links. */
export function appendText(element: HTMLElement, text: string) {
	let end = 0
	for (const { 0: url, index } of text.matchAll(link)) {
		element.append(text.slice(end, index))
		const a = make("a", "", url)
		a.href = url
		a.target = "_blank"
		a.rel = "noopener noreferrer"
		element.append(a)
		end = index + url.length
	}
	element.append(text.slice(end))
}

/** A circle with the initials of a user, in a colour that belongs to the name. */
export function avatar(user: string): HTMLElement {
	const words = user.split(/\s+/)
	const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "").join("")
	const element = make("span", "avatar", letters.toUpperCase())
	element.ariaHidden = "true"
	element.style.setProperty("--hue", String(hue(user)))
	return element
}

function hue(user: string): number {
	let hash = 0
	for (let i = 0; i < user.length; i++) hash = (hash * 31 + user.charCodeAt(i)) >>> 0
	return hash % 360
}
