import { byId } from "./dom.ts"
import { load, save } from "./storage.ts"

const most = 4096 // bytes that the server takes

/** Where the user writes. What is not sent stays with its room. */
export class Composer {
	#form = byId<HTMLFormElement>("composer")
	#text = byId<HTMLTextAreaElement>("text")
	#error = byId("composer-error")
	#draft = ""

	constructor(send: (text: string) => void, typing: () => void) {
		this.#text.addEventListener("keydown", (event) => {
			if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
			event.preventDefault()
			this.#form.requestSubmit()
		})
		this.#text.addEventListener("input", () => {
			this.#fit()
			save(this.#draft, this.#text.value)
			if (this.#text.value.trim()) typing()
		})
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault()
			this.#text.focus() // so that the keyboard of a phone stays
			const text = this.#text.value.trim()
			if (text && this.#fit()) {
				this.#set("")
				send(text)
			}
		})
	}

	/** Shows what the user has begun to write in a room. */
	open(user: string, room: string) {
		this.#draft = `draft/${user}/${room}`
		this.#text.placeholder = `Message #${room}`
		this.#set(load<string>(this.#draft) ?? "")
	}

	focus() {
		this.#text.focus()
	}

	#set(text: string) {
		this.#text.value = text
		save(this.#draft, text)
		this.#fit()
	}

	/** Makes the field as high as its text. Returns whether the text is short enough. */
	#fit(): boolean {
		this.#text.style.height = "auto"
		this.#text.style.height = `${this.#text.scrollHeight + 2}px`
		const over = new TextEncoder().encode(this.#text.value.trim()).length - most
		this.#error.textContent = over > 0 ? `The message is too long, by ${over} bytes.` : ""
		this.#text.ariaInvalid = String(over > 0)
		return over <= 0
	}
}
