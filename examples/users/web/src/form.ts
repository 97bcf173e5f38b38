import { NewUserSchema, type Changes, type NewUser, type User } from "./api.gen"

type Field = keyof NewUser
const fields: Field[] = ["name", "email", "role", "note"]

/** The part of the page that has a form. */
export interface Owner {
	/** Sends the values of the form. For a new user, before is undefined. */
	save(values: NewUser, before: User | undefined): Promise<unknown>
	close(): void
}

/** The form for a new user, or for a user as the page has shown it. */
export class UserForm {
	readonly element = clone<HTMLFormElement>("form")
	#before: User | undefined
	#owner: Owner
	#button = find<HTMLButtonElement>(this.element, ".save")
	#blocked = false // until a conflict is settled

	constructor(before: User | undefined, owner: Owner) {
		this.#before = before
		this.#owner = owner
		const form = this.element
		form.ariaLabel = before ? `Edit ${before.name}` : "Add user"
		for (const field of fields) {
			const error = this.#error(field)
			error.id = `error-${field}-${before?.id ?? "new"}`
			this.#input(field).setAttribute("aria-describedby", error.id)
			this.#input(field).addEventListener("input", () => this.#refuse(field, ""))
		}
		if (before) for (const field of fields) this.#set(field, before[field])
		form.onsubmit = (event) => {
			event.preventDefault()
			void this.#save()
		}
		form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#owner.close())
		find(form, ".cancel").onclick = () => this.#owner.close()
	}

	focus(): void {
		this.#input("name").focus()
	}

	/**
	 * Tells that somebody else has changed the user. Fields that were not changed here follow. If both have changed a field,
	 * the form asks which is right.
	 */
	conflict(current: User): void {
		const [before, mine, box] = [this.#before!, this.#values(), find(this.element, ".conflict")]
		if (current.version <= before.version) return
		const theirs = fields.filter((field) => current[field] !== before[field] && current[field] !== mine[field])
		const both = theirs.filter((field) => mine[field] !== before[field])
		for (const field of theirs) if (!both.includes(field)) this.#set(field, current[field])
		const settle = () => {
			this.#before = current
			this.#block(false)
			box.hidden = true
		}
		if (both.length === 0) {
			settle()
			if (theirs.length > 0) this.problem("Somebody else has changed this user. The form shows the changes.")
			return
		}
		find(box, "p").textContent = `Somebody else has changed this too. Version ${current.version} has:`
		find(box, "dl").replaceChildren(...both.flatMap((field) => [node("dt", label(field)), node("dd", current[field] || "none")]))
		find(box, ".theirs").onclick = () => {
			for (const field of both) this.#set(field, current[field])
			settle()
			this.focus()
		}
		find(box, ".mine").onclick = () => {
			settle()
			this.element.requestSubmit()
		}
		this.problem("")
		this.#block(true)
		box.hidden = false
	}

	/** Tells that the user does not exist any more. */
	gone(): void {
		find(this.element, ".conflict").hidden = true
		this.problem("Somebody else has deleted this user.")
		this.#block(true)
	}

	/** Tells what went wrong. */
	problem(text: string): void {
		find(this.element, ".problem").textContent = text
	}

	/** Marks fields by the issues of the schema, or of the server, whose paths begin with the index of an argument. */
	refuse(issues: readonly { message: string; path: readonly unknown[] }[]): void {
		for (const { message, path } of issues) {
			const field = fields.find((field) => path.includes(field))
			if (field) this.#refuse(field, explain(message))
			else this.problem(message)
		}
		this.element.querySelector<HTMLElement>("[aria-invalid=true]")?.focus()
	}

	async #save(): Promise<void> {
		this.problem("")
		const values = this.#values()
		const { issues } = NewUserSchema["~standard"].validate(values) // the rules of the server, before it is asked
		if (issues) return this.refuse(issues)
		this.#button.disabled = true
		try {
			await this.#owner.save(values, this.#before)
		} finally {
			this.#button.disabled = this.#blocked
		}
	}

	#block(blocked: boolean): void {
		this.#blocked = this.#button.disabled = blocked
	}

	#set(field: Field, value: string | null | undefined): void {
		this.#input(field).value = value ?? ""
		this.#refuse(field, "")
	}

	#values(): NewUser {
		const { name, email, role, note } = Object.fromEntries(new FormData(this.element)) as Record<Field, string>
		return { name: name.trim(), email: email.trim().toLowerCase(), role: role as NewUser["role"], note: note.trim() || null }
	}

	#input(field: Field): HTMLInputElement {
		return find(this.element, `[name=${field}]`)
	}

	#error(field: Field): HTMLElement {
		return find(this.#input(field).closest(".field")!, ".error")
	}

	#refuse(field: Field, text: string): void {
		this.#error(field).textContent = text
		this.#input(field).setAttribute("aria-invalid", String(text !== ""))
	}
}

/** The fields of values that differ from those of a user: Changes has no others. */
export function changed(values: NewUser, before: User): Changes {
	const differing = fields.filter((field) => values[field] !== before[field])
	return { ...Object.fromEntries(differing.map((field) => [field, values[field]])), version: before.version }
}

/** Words an issue, which the schema and the server put in the same way. */
function explain(message: string): string {
	const [, rule, bound] = / must satisfy (\w+)(?:=(.*))?$/.exec(message) ?? []
	if (rule === "email") return "This is not an email address."
	if (rule === "max") return `This has more than ${bound} characters.`
	if (rule === "min" || message.endsWith(" is required")) return "Fill this in."
	return message
}

function label(field: Field): string {
	return field[0]!.toUpperCase() + field.slice(1)
}

function node(name: string, text: string): HTMLElement {
	return Object.assign(document.createElement(name), { textContent: text })
}

/** A copy of what the template with this id holds. */
export function clone<E extends HTMLElement>(id: string): E {
	return (document.getElementById(id) as HTMLTemplateElement).content.firstElementChild!.cloneNode(true) as E
}

export function find<E extends HTMLElement>(parent: ParentNode, selector: string): E {
	return parent.querySelector<E>(selector)!
}
