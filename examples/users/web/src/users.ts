import type { User } from "./api.gen"

/** The users that the page knows. Changes and the list may come in any order: versions say what is newer. */
export class Users {
	#users = new Map<string, User>()
	#deleted = new Set<string>()

	/** Takes a user, and reports whether that is news. */
	put(user: User): boolean {
		const known = this.#users.get(user.id)
		if (this.#deleted.has(user.id) || (known && known.version >= user.version)) return false
		this.#users.set(user.id, user)
		return true
	}

	/** Deletes a user for good, since ids are never used again. */
	delete(id: string): boolean {
		this.#deleted.add(id)
		return this.#users.delete(id)
	}

	get(id: string): User | undefined {
		return this.#users.get(id)
	}

	/** All users in the order in which the page shows them. */
	sorted(): User[] {
		return [...this.#users.values()].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1))
	}
}
