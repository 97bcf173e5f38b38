// The differences that remain on purpose. Each rule is a row of "What arrives differently" in docs/guide/values.md.
import { inside, objects } from "./values-graph.mjs"
import { readArrays } from "./values-leaves.mjs"
import { integers, numberArrays } from "./values-schema.mjs"
import { isPlain } from "./values-source.mjs"

const goesTyped = ({ form }) => form === "typed" || form === "json typed"
const inGo = ({ form }) => form !== "value"
const halves = (text) => typeof text === "string" && !text.isWellFormed()
const mended = (sent, arrived) => halves(sent) && sent.toWellFormed() === arrived
const isObject = (value) => typeof value === "object" && value !== null
const nowhere = (value) => ["function", "symbol"].includes(typeof value)
const isEmpty = (value) => value === "" || ((Array.isArray(value) || ArrayBuffer.isView(value) || isPlain(value)) && Object.keys(value).length === 0)
// What superjson loses is null.
const isNull = (value) => value === null || value === undefined || nowhere(value) || (value instanceof Date && isNaN(value))
const sparse = (value) => Array.isArray(value) && Object.keys(value).length !== value.length
const namesElements = (list) => Array.isArray(list) && Object.keys(list).some((key) => String(key >>> 0) !== key)
const strange = (value) => isObject(value) && !isPlain(value) && ![Array, Map, Set, Date, RegExp, URL, Error].some((type) => value instanceof type) && (!ArrayBuffer.isView(value) || value instanceof DataView)

function json(value) {
	try {
		return JSON.stringify(value)
	} catch {
		return // a cycle, which none of those has
	}
}

const year1 = (date) => new Date(date).getTime() === -62135596800000
const falsy = (value, k) => (["string", "bool", "float32", "float64", "bigint-int64"].includes(k) || integers[k]) && !value && !Number.isNaN(value)

/** zero tells whether Go holds a value as the zero value of a type. A struct knows nothing of members without a field. */
function zero(value, schema) {
	switch (schema.k) {
		case "nil":
			return zero(value, schema.of)
		case "value":
			return false
		case "any":
			return value !== undefined && isNull(value)
		case "struct":
			if (isObject(value)) return schema.f.every((field) => !Object.hasOwn(value, field.name) || zero(value[field.name], field.of))
			break
		case "array":
			if (isObject(value)) return Array.from(value).every((item) => zero(item, schema.of))
	}
	const date = schema.k === "date" || (schema.k === "ptr" && schema.of.k === "date")
	return isNull(value) || falsy(value, schema.k) || (date && year1(value))
}

/** blank tells whether a value is what Go writes for the zero value of a type. */
function blank(value, schema) {
	switch (schema.k) {
		case "nil":
			return blank(value, schema.of)
		case "struct":
			return isObject(value) && schema.f.every((field) => (field.optional && !Object.hasOwn(value, field.name)) || blank(value[field.name], field.of))
		case "array":
			return Array.isArray(value) && value.every((item) => blank(item, schema.of))
		case "date":
			return year1(value)
		case "json.Number":
			return value === 0
	}
	return value === null || value === undefined || falsy(value, schema.k) || isEmpty(value)
}

const inCause = (root, object) => [...objects(root)].some((value) => value instanceof Error && inside(value, object))
const inCycle = (value) => isObject(value) && inside(value, value)
const annotated = (key) => isObject(key) || ["bigint", "undefined"].includes(typeof key) || (typeof key === "number" && !Number.isFinite(key))
const keysOf = (value) => (value instanceof Map || value instanceof Set ? [...value.keys()] : [])

/** inOne tells whether the place of a difference is a Map or Set of a kind, or is inside of one. */
const inOne = ({ sent, within }, is) => [...within, sent].some((value) => keysOf(value).length > 0 && is(value))
const anyInside = (root, is) => [...objects(root)].some((value) => keysOf(value).length > 0 && is(value))
/** reaches tells whether a Map or Set of a kind has what differs, or what holds it, inside. It may be at other places too. */
const reaches = (difference, root, is) =>
	inOne(difference, is) || anyInside(root, (value) => is(value) && [difference.sent, ...difference.within].some((object) => inside(value, object)))
const hasAnnotatedKey = (value) => keysOf(value).some(annotated)
// Null stands for each key that leads back to the Map or Set.
function hasNullBesideCycle(value) {
	const back = keysOf(value).filter((key) => isObject(key) && objects(key).has(value)).length
	return back > 1 || (back === 1 && keysOf(value).includes(null))
}

/** merges tells whether names or keys of a value become one when half of a surrogate pair becomes U+FFFD. */
function merges(value) {
	if (!isObject(value)) return false
	const names = (keysOf(value).length > 0 ? keysOf(value) : Object.keys(value)).filter((name) => typeof name === "string")
	return new Set(names.map((name) => name.toWellFormed())).size < names.length
}

/** members are the objects at the members of arrays and objects whose names are of a kind, among those of one object. */
function members(root, is) {
	const holders = [...objects(root)].filter((value) => Array.isArray(value) || isPlain(value))
	return holders.flatMap((holder) => Object.keys(holder).filter(is).map((name) => holder[name])).filter(isObject)
}

/** becomesOther tells whether another name becomes the same when half of a surrogate pair becomes U+FFFD. */
const becomesOther = (name, _, names) => names.some((other) => other !== name && other.toWellFormed() === name.toWellFormed())

/**
 * rules are tried in order. A rule has the first cell of its row as its name. It takes a difference of
 * values-compare.mjs and the circumstances: the form of the value in Go, the version of superjson, and whether the
 * library by itself makes the same difference (lost) or refuses its own text (refused). newestReads tells whether
 * superjson 2.2.7 would read right what Go has written for 2.2.6.
 */
export const rules = [
	// What the library loses, Go or not.
	{
		name: "a function or symbol",
		// One at two places may be a member of value undefined, at the end.
		allows: ({ kind, sent, arrived }) => (nowhere(sent) && (arrived === undefined || arrived === null)) || (kind === "order" && Object.values(sent).some(nowhere))
	},
	{ name: "a hole in an array", allows: ({ kind, sent, arrived }) => (kind === "hole" && arrived === null) || (kind === "length" && sparse(sent) && arrived.length === Number(Object.keys(sent).at(-1) ?? -1) + 1) },
	{ name: "a named element of an array", allows: ({ kind, sent }) => kind === "named elements" && namesElements(sent) },
	{ name: "an object without a prototype", allows: ({ kind, sent, arrived }) => kind === "prototype" && Object.getPrototypeOf(sent) === null && Object.getPrototypeOf(arrived) === Object.prototype },
	{ name: "an object of a class", allows: ({ sent, arrived }) => strange(sent) && json(sent) === json(arrived) },
	{ name: "the class of an Error", allows: ({ kind, arrived }) => kind === "class" && arrived.constructor === Error },
	{ name: "a property of an Error", allows: ({ kind }) => kind === "property" },
	{ name: "an invalid Date", allows: ({ sent, arrived }) => sent instanceof Date && isNaN(sent) && arrived === null },
	{
		name: "NaN, infinities and -0 in a typed array of superjson 2.2.6",
		allows: ({ kind, sent, arrived }, { version }) =>
			version === "2.2.6" && kind === "value" && ArrayBuffer.isView(sent) && ArrayBuffer.isView(arrived) && sent.every((n, i) => (Number.isFinite(n) && !Object.is(n, -0) ? n === arrived[i] : Object.is(arrived[i], 0)))
	},
	{ name: "an undefined `cause` of an Error", allows: ({ kind, sent, arrived }) => kind === "cause" && sent === undefined && arrived === undefined },
	{
		name: "a key that JSON lacks, in a Map or Set of superjson 2.2.6",
		// It moves a key that it replaces to the end, and looks for others at their old places.
		allows: (_difference, { root, newestReads }) => anyInside(root, hasAnnotatedKey) && newestReads()
	},
	{
		name: "an object at two places, one in the `cause` of an Error",
		allows: ({ kind, sent, arrived, path }, { root }) => (kind === "apart" && inCause(root, sent)) || (inCycle(sent) && (arrived === null || arrived === undefined) && path.includes(".cause"))
	},
	{ name: "an object at two places that superjson separates", allows: ({ kind }, { lost }) => lost && ["apart", "together", "value", "kind", "length", "missing", "new"].includes(kind) },
	{
		name: "null beside a cycle, in a Set or as keys of a Map",
		// The entries behind have other places in the text.
		allows: (difference, { root }) => difference.kind !== "refused" && (difference.kind === "unreadable" ? anyInside(root, hasNullBesideCycle) : reaches(difference, root, hasNullBesideCycle))
	},
	{
		name: "what superjson refuses to read",
		allows: ({ kind, sent, arrived }, { refused }) => {
			const buffer = ArrayBuffer.isView(sent) && !readArrays.includes(sent.constructor.name) && arrived instanceof Uint8Array && String([...sent]) === String([...arrived])
			return refused && (buffer || ["refused", "unreadable", "apart", "together"].includes(kind))
		}
	},
	// What Go's types cannot hold.
	{ name: "the order of members", allows: ({ kind, schema }, c) => kind === "order" && inGo(c) && schema?.k !== "struct" },
	{ name: "a cycle, for an `any`", allows: ({ kind, arrived }, { root }) => kind === "refused" && /value without cycles/.test(arrived) && [...objects(root)].some(inCycle) },
	{
		name: "half of a surrogate pair",
		allows: (difference, c) => {
			const { kind, sent, arrived, path } = difference
			const named = /\\ud[89a-f]/.test(path)
			const graph = ["apart", "together", "refused", "unreadable"].includes(kind)
			// An object that is lost may also be a key.
			const places = [sent, ...difference.within].flatMap((at) => [at, ...keysOf(at)])
			const isIn = (all) => places.some((at) => all.some((object) => at === object || inside(object, at)))
			// A Value keeps it, but not in the path of an annotation or of an object at two places.
			if (c.form === "value" || c.form === "typed") {
				if (/"meta":.*\\ud[89a-f]/s.test(c.text) && (named || graph || path.includes("\ufffd"))) return true
				if (/"referentialEqualities":.*\\ud[89a-f]/s.test(c.text) && isIn(members(c.root, halves))) return true
			}
			if (!inGo(c)) return false
			// Names that become one leave one member, and one entry of a Map or Set.
			if (kind === "missing" && named) return true
			if (kind === "new" && path.includes("\ufffd")) return true
			if ((path.includes("\ufffd") || graph) && [...objects(c.root)].some(merges)) return true
			if (inOne(difference, merges) || merges(sent) || isIn(members(c.root, becomesOther))) return true
			if (kind === "value" && sent instanceof Error) return halves(sent.name + sent.message) && sent.name.toWellFormed() === arrived.name && sent.message.toWellFormed() === arrived.message
			if (strange(sent)) return json(sent)?.replace(/\\ud[89a-f]../g, "\ufffd") === json(arrived)
			return mended(sent, arrived)
		}
	},
	{
		name: "a Date, an empty array or a typed array at two places",
		allows: ({ kind, sent, arrived }, c) => kind === "apart" && inGo(c) && (sent instanceof Date || ArrayBuffer.isView(sent) || (Array.isArray(arrived) && arrived.length === 0))
	},
	{ name: "null as the `cause` of an Error", allows: ({ sent, arrived, path }, c) => path.endsWith(".cause") && json(sent) === "null" && arrived === undefined && inGo(c) },
	// What the type says.
	{ name: "a Set, for a slice", allows: ({ kind, sent, arrived, schema }, c) => c.form === "typed" && kind === "kind" && schema?.k === "goset" && sent instanceof Set && (Array.isArray(arrived) || (schema.of.k === "uint8" && arrived instanceof Uint8Array)) },
	{ name: "a Map, for a Go map", allows: ({ kind, sent, arrived, schema }, c) => c.form === "typed" && kind === "kind" && schema?.k === "gomap" && sent instanceof Map && isPlain(arrived) },
	{ name: "an object at two places, for other Go types", allows: ({ kind }, c) => kind === "apart" && goesTyped(c) },
	{
		name: "a cycle, for other Go types",
		// Null stands for it. Where an Error has null as its cause, and a Map or Set has it twice, more is lost.
		allows: (difference, c) => {
			const { sent, arrived } = difference
			return c.form === "typed" && difference.kind !== "refused" && ((inCycle(sent) && (arrived === null || arrived === undefined)) || inOne(difference, inCycle))
		}
	},
	{
		name: "an array, for `[]byte`",
		allows: ({ sent, arrived, schema }, c) => goesTyped(c) && schema?.of?.k === "uint8" && Array.isArray(sent) && (arrived instanceof Uint8Array || (c.json && arrived === btoa(String.fromCharCode(...sent))))
	},
	{
		name: "a typed array under JSON, for one",
		allows: ({ sent, arrived, schema }, { json }) => {
			if (!json || !numberArrays.includes(schema?.k) || !Array.isArray(arrived)) return false
			const numbers = Object.values(sent)
			return numbers.length === arrived.length && numbers.every((n, i) => (n ?? 0) === arrived[i])
		}
	},
	{ name: "a number, for a `float32`", allows: ({ sent, arrived, schema }, c) => goesTyped(c) && schema?.k === "float32" && Math.fround(arrived) === sent },
	{ name: "-0, for an integer", allows: ({ sent, arrived, schema }, c) => goesTyped(c) && integers[schema?.k] && Object.is(sent, -0) && arrived === 0 },
	{ name: "a bigint, for an integer", allows: ({ sent, arrived, schema }, c) => goesTyped(c) && schema?.k === "bigint-int64" && Number(sent) === arrived },
	{ name: "undefined, for an optional field", allows: ({ kind, sent, field }, c) => goesTyped(c) && kind === "missing" && sent === undefined && field?.optional && !["any", "value"].includes(field.of.k) },
	{ name: "the zero value, for an optional field", allows: ({ kind, sent, field }, c) => goesTyped(c) && kind === "missing" && field?.optional && zero(sent, field.of) },
	{ name: "null, for a slice or a map", allows: ({ sent, arrived, schema }, c) => goesTyped(c) && sent === null && schema?.k === "nil" && isEmpty(arrived) },
	{ name: "no member, for a field", allows: ({ kind, arrived, field }, c) => goesTyped(c) && kind === "new" && field && blank(arrived, field.of) },
	{ name: "a member without a field", allows: ({ kind, field }, c) => goesTyped(c) && kind === "missing" && field === null }
]

/** ruleOf returns the name of the first rule that allows a difference, undefined without one. */
export function ruleOf(difference, circumstances) {
	return rules.find((rule) => rule.allows(difference, circumstances))?.name
}
