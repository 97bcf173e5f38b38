// Makes the value of a failure smaller for as long as it fails.
import { Sent } from "./values-check.mjs"
import { ANY } from "./values-schema.mjs"

const maxTries = 400

/** shrink returns the smallest it finds that still fails, as failures(sent) tells by a list that is not empty. */
export async function shrink(sent, failures) {
	let tries = maxTries
	const fails = async (value, schema) => {
		if (tries-- <= 0) return
		const smaller = new Sent(sent.index, value, schema, sent.plain)
		return !smaller.text.error && (await failures(smaller)).length > 0 && smaller
	}
	const met = new Set() // a cycle must not lead back
	for (let changed = true; changed && tries > 0; ) {
		changed = false
		for (const [value, schema] of inner(sent.value, sent.schema)) {
			if (met.has(value)) continue
			met.add(value)
			const smaller = await fails(value, schema)
			if (!smaller) continue
			sent = smaller
			changed = true
			break
		}
	}
	for (let changed = true; changed && tries > 0; ) {
		changed = false
		for (const container of containers(sent.value)) {
			for (const { remove, restore } of removals(container)) {
				remove()
				const smaller = await fails(sent.value, sent.schema)
				if (smaller) {
					sent = smaller
					changed = true
				} else restore()
			}
		}
	}
	return new Sent(sent.index, sent.value, sent.schema, sent.plain)
}

function inner(value, schema) {
	if (schema.k === "ptr" || schema.k === "nil") return [[value, schema.of], ...inner(value, schema.of)]
	if (Array.isArray(value)) return Object.values(value).map((item) => [item, schema.of ?? ANY])
	if (value instanceof Map) return [...[...value.keys()].map((key) => [key, schema.key ?? ANY]), ...[...value.values()].map((item) => [item, schema.key ? schema.of : ANY])]
	if (value instanceof Set) return [...value].map((item) => [item, schema.of ?? ANY])
	if (value instanceof Error) return "cause" in value ? [[value.cause, ANY]] : []
	if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return []
	return Object.keys(value).map((key) => [value[key], (schema.f ? schema.f.find((f) => f.name === key)?.of : schema.of) ?? ANY])
}

function containers(root) {
	const met = new Set()
	const walk = (value) => {
		if (typeof value !== "object" || value === null || met.has(value)) return
		met.add(value)
		for (const [child] of inner(value, ANY)) walk(child)
	}
	walk(root)
	return met
}

function removals(value) {
	if (Array.isArray(value)) {
		return [...value.keys()].reverse().map((i) => {
			let removed
			return { remove: () => (removed = value.splice(i, 1)), restore: () => value.splice(i, 0, ...removed) }
		})
	}
	if (value instanceof Map || value instanceof Set) {
		const fill = (items) => {
			value.clear()
			for (const item of items) value instanceof Map ? value.set(...item) : value.add(item)
		}
		return [...value.keys()].map((key) => {
			let all
			return { remove: () => ((all = [...value]), value.delete(key)), restore: () => fill(all) }
		})
	}
	if (value instanceof Error) {
		const { cause } = value
		return "cause" in value ? [{ remove: () => delete value.cause, restore: () => Object.defineProperty(value, "cause", { value: cause, configurable: true, writable: true }) }] : []
	}
	if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return []
	return Object.keys(value).map((key) => {
		let all
		return {
			remove: () => ((all = { ...value }), delete value[key]),
			restore: () => {
				for (const k of Object.keys(value)) delete value[k]
				Object.assign(value, all)
			}
		}
	})
}
