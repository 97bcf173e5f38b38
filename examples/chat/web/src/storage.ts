// What the page remembers. A browser may forbid it or have no room: the page then works without.

export function load<T>(key: string, storage = localStorage): T | undefined {
	try {
		return JSON.parse(storage.getItem(key) ?? "null") ?? undefined
	} catch {
		return undefined
	}
}

export function save(key: string, value: unknown, storage = localStorage) {
	try {
		storage.setItem(key, JSON.stringify(value))
	} catch {
		// as said above
	}
}
