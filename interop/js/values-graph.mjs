// Values as graphs of objects: what leads where, and a copy with members in the order of Go.
import { isPlain } from "./values-source.mjs"

const isObject = (value) => typeof value === "object" && value !== null

/** children are the values directly inside of a value that superjson looks into. */
export function children(value) {
	if (Array.isArray(value) || isPlain(value)) return Object.values(value)
	if (value instanceof Map) return [...value].flat()
	if (value instanceof Set) return [...value]
	if (value instanceof Error && "cause" in value) return [value.cause]
	return []
}

/** objects are all objects inside of a value, and itself. */
export function objects(root) {
	const met = new Set()
	const walk = (value) => {
		if (!isObject(value) || met.has(value)) return
		met.add(value)
		children(value).forEach(walk)
	}
	walk(root)
	return met
}

/** inside tells whether an object is inside of a value, which may be itself. */
export function inside(value, object) {
	return children(value).some((child) => objects(child).has(object))
}

/** sorted copies a value with the members of its objects in the order in which Go writes those of a map. */
export function sorted(root) {
	const copies = new Map()
	const copy = (value) => {
		if (!isObject(value)) return value
		if (copies.has(value)) return copies.get(value)
		const made = (empty) => (copies.set(value, empty), empty)
		if (Array.isArray(value)) {
			const list = made([])
			list.length = value.length
			for (const key of Object.keys(value)) list[key] = copy(value[key])
			return list
		}
		if (value instanceof Map) {
			const map = made(new Map())
			for (const [key, item] of value) map.set(copy(key), copy(item))
			return map
		}
		if (value instanceof Set) {
			const set = made(new Set())
			for (const item of value) set.add(copy(item))
			return set
		}
		if (value instanceof Error && "cause" in value) {
			const error = made(new value.constructor(value.message))
			error.name = value.name
			Object.assign(error, value)
			error.cause = copy(value.cause)
			return error
		}
		if (!isPlain(value)) return value
		const object = made(Object.create(Object.getPrototypeOf(value)))
		for (const key of Object.keys(value).sort()) object[key] = copy(value[key])
		return object
	}
	return copy(root)
}
