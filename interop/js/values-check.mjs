// What must be true of a value that went through Go.
import { deserializeMessage, serializeMessage } from "kkrpc"
import newer from "superjson"
import older from "superjson-2.2.6"
import { differences, same } from "./values-compare.mjs"
import { sorted } from "./values-graph.mjs"
import { ruleOf } from "./values-rules.mjs"
import { ANY } from "./values-schema.mjs"

/** forms are how Go holds a value, in the order of its answers. */
export const forms = ["any", "value", "typed", "json any", "json typed"]

const libraries = { "2.2.6": older, "2.2.7": newer }
const versions = Object.keys(libraries)

/** Sent is a value on its way to Go. */
export class Sent {
	/** Every second index has the other version of superjson, every second pair the form of a call's argument. */
	constructor(index, value, schema, plain) {
		this.index = index
		this.value = value
		this.schema = schema
		this.plain = plain
		this.version = versions[index % 2]
		this.argument = (index & 2) !== 0
		this.library = libraries[this.version]
		this.text = attempt(() => this.library.stringify(this.argument ? { method: "m", args: [value] } : value))
		// The JSON of kkrpc 0.x, and that of kkrpc 2.
		this.tagged = (index & 4) !== 0
		const message = attempt(() => (this.tagged ? serializeMessage({ args: [value] }, { version: "json" }).trimEnd() : JSON.stringify({ args: [value] })))
		this.json = message.value === undefined || message.value.length > 1 << 20 ? "-" : message.value
	}

	/** lines are what Go reads: flags and both texts. */
	lines() {
		return `${this.argument ? "A" : "-"}${this.plain ? "P" : "-"}${this.tagged ? "T" : "-"}\n${this.text.value ?? "-"}\n${this.json}\n`
	}

	/** read takes what Go has written under SuperJSON. */
	read(text, library = this.library) {
		const read = library.parse(text)
		return this.argument ? read.args[0] : read
	}

	/** readJSON takes a message in JSON. */
	async readJSON(text) {
		return (this.tagged ? await deserializeMessage(text) : JSON.parse(text)).args[0]
	}

	/** failures compares Go's answers, and tells count of each rule that a difference needed. */
	async failures(answers, count) {
		const found = []
		for (const [i, form] of forms.entries()) {
			if (answers[i] === "-") continue
			const json = form.startsWith("json")
			const sent = json ? await this.readJSON(this.json) : this.value
			const schema = form.endsWith("typed") ? this.schema : ANY
			const compare = (read, kind = "unreadable") => (read.error !== undefined ? [{ path: "", kind, sent, arrived: read.error, schema, within: [] }] : differences(sent, read.value, schema))
			let library
			const ofLibrary = () => (library ??= json ? { differences: [] } : this.#library(schema, form))
			let newest
			const ofNewest = () => (newest ??= compare(attempt(() => this.read(answers[i], newer))))
			const circumstancesOf = (difference) => ({
				form,
				root: this.value,
				json,
				version: this.version,
				text: this.text.value,
				refused: ofLibrary().refused,
				lost: ofLibrary().differences.some((d) => same(d, difference)),
				newestReads: () => this.version !== "2.2.7" && difference.kind !== "refused" && ofNewest().every((d) => (d.kind !== "unreadable" && d.path !== difference.path) || ruleOf(d, { ...circumstancesOf(d), newestReads: () => false }))
			})
			const all = answers[i].startsWith("!") ? compare({ error: answers[i] }, "refused") : compare(await attemptLater(async () => (json ? await this.readJSON(answers[i]) : this.read(answers[i]))))
			for (const difference of all) {
				const circumstances = circumstancesOf(difference)
				const rule = ruleOf(difference, circumstances)
				if (rule) count(rule)
				else found.push({ form, difference, circumstances, text: json ? this.json : this.text.value, answer: answers[i] })
			}
		}
		return found
	}

	/** library is what the library makes of its own text, and of that of the value as Go sorts it. */
	#library(schema, form) {
		const all = [attempt(() => this.read(this.text.value))]
		if (form !== "value") all.push(attempt(() => this.library.parse(this.library.stringify({ args: [sorted(this.value)] })).args[0]))
		return { refused: all.some((read) => read.error), differences: all.filter((read) => !read.error).flatMap((read) => differences(this.value, read.value, schema)) }
	}
}

function attempt(run) {
	try {
		return { value: run() }
	} catch (error) {
		return { error }
	}
}

async function attemptLater(run) {
	try {
		return { value: await run() }
	} catch (error) {
		return { error }
	}
}
