import { isCreateUserError, isDeleteUserError, isUpdateUserError, type NewUser, type ServerAPI, type User } from "./api.gen"
import { ConnectionLost, keepConnected } from "./connection"
import { UserForm, changed, clone, find } from "./form"
import { Users } from "./users"

let server: ServerAPI | undefined // undefined while there is no connection
let users = new Users()
let loading: Users | undefined // takes the list that comes, and the changes before it

/** The functions that the server calls. */
const clientAPI = {
	onUserUpdate(user: User) {
		loading?.put(user)
		if (!users.put(user)) return
		render()
		const row = rows.get(user.id)
		row?.form?.conflict(user)
		row?.flash()
	},
	onUserDelete(id: string) {
		loading?.delete(id)
		const name = users.get(id)?.name
		if (!users.delete(id)) return
		render()
		tell(`${name} is deleted.`)
	}
}

const url = new URL("/ws?errors=text", location.href.replace(/^http/, "ws"))
void keepConnected<typeof clientAPI, ServerAPI>(url.href, clientAPI, {
	async opened(api) {
		const fresh = (loading = new Users())
		server = api
		try {
			for (const user of await api.getUsers()) fresh.put(user)
		} catch (error) {
			if (!(error instanceof ConnectionLost)) state("lost", messageOf(error))
			return
		}
		users = fresh
		loading = undefined
		state("live", "Live")
		render()
		for (const [id, row] of rows) {
			const user = users.get(id)
			if (user) row.form?.conflict(user)
		}
	},
	lost() {
		server = undefined
		state("lost", "Connection lost. Trying again …")
	}
})

function state(name: "live" | "lost", text: string): void {
	const shown = find(document, "#connection")
	shown.textContent = text
	shown.className = name
}

/** Tells a screen reader what has changed. */
function tell(text: string): void {
	find(document, "#news").textContent = text
}

const rows = new Map<string, Row>()
const list = find(document, "#users")

/** Shows the users in their order. A user who is being edited stays in its place. */
function render(): void {
	for (const [id, row] of rows) {
		if (users.get(id)) continue
		if (row.form) row.form.gone()
		else row.remove()
	}
	let place = list.firstElementChild
	const skip = () => {
		while (place?.classList.contains("edited")) place = place.nextElementSibling
	}
	for (const user of users.sorted()) {
		const row = rows.get(user.id) ?? new Row(user)
		row.show(user)
		if (row.form) continue
		skip()
		if (row.element === place) place = place.nextElementSibling
		else list.insertBefore(row.element, place)
	}
	find(document, "#empty").hidden = list.childElementCount > 0
}

/** A user in the list. */
class Row {
	readonly element = clone<HTMLLIElement>("row")
	form: UserForm | undefined
	#user: User

	constructor(user: User) {
		this.#user = user
		this.element.dataset["id"] = user.id
		rows.set(user.id, this)
		this.#button("edit").onclick = () => this.#edit()
		this.#button("delete").onclick = () => this.#confirm()
	}

	show(user: User): void {
		this.#user = user
		for (const field of ["name", "email", "role", "note"] as const) find(this.element, `.${field}`).textContent = user[field]
		find(this.element, ".role").dataset["role"] = user.role
		this.element.title = `Version ${user.version}, ${user.updatedAt.toLocaleString()}`
		this.#button("edit").ariaLabel = `Edit ${user.name}`
		this.#button("delete").ariaLabel = `Delete ${user.name}`
	}

	/** Points at a change. */
	flash(): void {
		this.element.classList.remove("changed")
		void this.element.offsetWidth // begins the animation anew
		this.element.classList.add("changed")
		tell(`${this.#user.name} is changed.`)
	}

	remove(): void {
		const next = this.element.nextElementSibling ?? this.element.previousElementSibling
		if (this.element.contains(document.activeElement)) (next ? find(next, ".edit") : find(document, "#add")).focus()
		rows.delete(this.#user.id)
		this.element.remove()
	}

	#button(name: string): HTMLButtonElement {
		return find(this.element, `:scope > .actions .${name}`)
	}

	#edit(): void {
		this.form = new UserForm(this.#user, {
			save: (values, before) => this.#save(values, before!),
			close: () => this.#close()
		})
		this.element.append(this.form.element)
		this.element.classList.add("edited")
		this.form.focus()
	}

	#close(): void {
		this.form?.element.remove()
		this.form = undefined
		this.element.classList.remove("edited")
		render() // perhaps in another place, or not at all
		this.#button("edit").focus()
	}

	async #save(values: NewUser, before: User): Promise<void> {
		const form = this.form!
		try {
			clientAPI.onUserUpdate(await connected().updateUser(before.id, changed(values, before)))
			this.#close()
		} catch (error) {
			if (!isUpdateUserError(error)) form.problem(messageOf(error))
			else if (error.name === "ConflictError") form.conflict(error.current)
			else if (error.name === "NotFoundError") clientAPI.onUserDelete(error.id)
			else refuse(form, error)
		}
	}

	/** Asks before the user is deleted. */
	#confirm(): void {
		const button = this.#button("delete")
		if (button.classList.contains("sure")) return void this.#delete()
		button.classList.add("sure")
		button.textContent = "Really delete"
		button.ariaLabel = `Really delete ${this.#user.name}`
		button.onblur = () => {
			button.classList.remove("sure")
			button.textContent = "Delete"
			button.ariaLabel = `Delete ${this.#user.name}`
		}
		button.focus() // Safari does not focus a button that is clicked
	}

	async #delete(): Promise<void> {
		try {
			await connected().deleteUser(this.#user.id)
			clientAPI.onUserDelete(this.#user.id)
		} catch (error) {
			if (isDeleteUserError(error)) clientAPI.onUserDelete(error.id)
			else alert(messageOf(error))
		}
	}
}

const add = find<HTMLButtonElement>(document, "#add")
add.onclick = () => {
	const place = find(document, "#new")
	const close = () => {
		place.replaceChildren()
		add.disabled = false
		add.focus()
	}
	const form = new UserForm(undefined, {
		async save(values) {
			try {
				clientAPI.onUserUpdate(await connected().createUser(values))
				close()
			} catch (error) {
				if (isCreateUserError(error)) refuse(form, error)
				else form.problem(messageOf(error))
			}
		},
		close
	})
	place.replaceChildren(form.element)
	add.disabled = true
	form.focus()
}

/** Shows an error where it belongs. */
function refuse(form: UserForm, error: Error & { issues?: { message: string; path: unknown[] }[] }): void {
	if (error.issues) form.refuse(error.issues)
	else if (error.name === "EmailTakenError") form.refuse([{ message: "Another user has this email.", path: ["email"] }])
	else form.problem(error.message)
}

function connected(): ServerAPI {
	if (!server) throw new Error("There is no connection to the server. Try again when it is back.")
	return server
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}
