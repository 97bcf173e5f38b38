// Sends random values to Go, which returns each in every form that Go has for it, and compares.
// usage: values-peer.mjs SEED COUNT PART PARTS [INDEX]
import process from "node:process"
import { forms, Sent } from "./values-check.mjs"
import { Generator } from "./values-generate.mjs"
import { Random } from "./values-random.mjs"
import { rules } from "./values-rules.mjs"
import { ANY, schema } from "./values-schema.mjs"
import { shrink } from "./values-shrink.mjs"
import { source } from "./values-source.mjs"

const [seed, count, part, parts, only] = process.argv.slice(2).map(Number)
const batchSize = 32 // values of one schema
const maxFailures = 60 // reported, each of another kind

/** schemaOf returns the schema of a batch. One in four has only what JSON holds. */
function schemaOf(batch) {
	const r = new Random(seed ^ 0x5eed, batch)
	const plain = batch % 4 === 3
	return { plain, of: r.chance(3) ? ANY : schema(r, 1 + r.below(3), plain) }
}

function sentOf(index) {
	const { of, plain } = schemaOf(Math.floor(index / batchSize))
	return new Sent(index, new Generator(new Random(seed, index), plain).value(of), of, plain)
}

/** ask sends values of one schema. The promise it returns resolves to Go's answers. */
function ask(list) {
	process.stdout.write(`B ${list.length} ${JSON.stringify(list[0].schema)}\n${list.map((sent) => sent.lines()).join("")}`)
	return async () => {
		const answers = []
		for (const _ of list) {
			const lines = []
			for (const _ of forms) lines.push(await line())
			answers.push(lines)
		}
		return answers
	}
}

const lines = (async function* () {
	let rest = ""
	for await (const chunk of process.stdin.setEncoding("utf8")) {
		const all = (rest + chunk).split("\n")
		rest = all.pop()
		yield* all
	}
})()

async function line() {
	const { value, done } = await lines.next()
	if (done) throw new Error("Go has gone")
	return value
}

const summary = { values: 0, unsent: 0, names: rules.map(({ name }) => name), rules: {}, failures: 0, reports: [] }
const failed = new Map() // by kind, the first of each
const counted = (rule) => (summary.rules[rule] = (summary.rules[rule] ?? 0) + 1)
const kindOf = ({ form, difference }) => `${form} ${difference.kind} ${difference.kind === "refused" ? String(difference.arrived).replace(/[^:]*: /, "").replace(/\d+/g, "N").slice(0, 60) : ""}`

async function finish({ list, answers }) {
	for (const [i, answer] of (await answers()).entries()) {
		summary.values++
		const failures = await list[i].failures(answer, counted)
		summary.failures += failures.length
		for (const failure of failures) if (!failed.has(kindOf(failure))) failed.set(kindOf(failure), list[i].index)
	}
}

async function report(kind, index) {
	const failuresOf = async (sent) => (await sent.failures((await ask([sent])())[0], () => {})).filter((failure) => kindOf(failure) === kind)
	let sent = await shrink(sentOf(index), failuresOf)
	let failures = await failuresOf(sent)
	if (failures.length === 0) {
		// Not every removal can be undone.
		sent = sentOf(index)
		failures = await failuresOf(sent)
	}
	if (failures.length === 0) return summary.reports.push({ index, kind, source: "(fails only among others)" })
	const [{ difference, circumstances, text, answer }] = failures
	summary.reports.push({
		index,
		kind,
		version: sent.version,
		source: source(sent.value),
		schema: JSON.stringify(sent.schema),
		path: difference.path,
		sent: source(difference.sent),
		arrived: difference.kind === "refused" ? difference.arrived : source(difference.arrived),
		library: circumstances.refused ? "refuses it" : circumstances.lost ? "makes the same difference" : "has it right, or another way wrong",
		text,
		answer
	})
}

const waiting = []
const batches = only === undefined ? Math.ceil(count / batchSize) : 0
for (let batch = part; batch < batches; batch += parts) {
	const list = []
	for (let index = batch * batchSize; index < Math.min(count, (batch + 1) * batchSize); index++) {
		const sent = sentOf(index)
		if (sent.text.error || sent.text.value.length > 1 << 20) summary.unsent++
		else list.push(sent)
	}
	if (list.length > 0) waiting.push({ list, answers: ask(list) })
	if (waiting.length > 2) await finish(waiting.shift())
}
if (only !== undefined) {
	const sent = sentOf(only)
	waiting.push({ list: [sent], answers: ask([sent]) })
}
for (const batch of waiting) await finish(batch)
for (const [kind, index] of [...failed].slice(0, maxFailures)) await report(kind, index)
summary.kinds = [...failed.keys()]
process.stdout.write(`D ${JSON.stringify(summary)}\n`)
