// The functions that generated files have as far as they use them. A blank line ends each. Names of one are names of no
// variable in another, so that each is found by its name, and none stands in a template.

/** StandardSchemaV1 is the interface of https://standardschema.dev, which libraries for forms take. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
	readonly "~standard": {
		readonly version: 1
		readonly vendor: string
		readonly validate: (value: unknown) => Result<Output>
		readonly types?: { readonly input: Input; readonly output: Output } | undefined
	}
}

type Result<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] }

interface Issue {
	readonly message: string
	readonly path: readonly (string | number)[]
}

/** A Rule is a tag of the server with its test, which is undefined for a value that needs no further test. */
type Rule<T> = readonly [tag: string, test: (value: T, fields: any) => boolean | undefined]

/** A Shape looks at values, of which undefined is the zero value of Go. */
interface Shape {
	/** types reports what the server cannot read. */
	types(value: unknown, walk: Walk): void
	/** rules reports the first rule that does not hold, and those in the parts of the value. */
	rules(value: any, walk: Walk, fields: any): void
}

interface Walk {
	readonly path: (string | number)[]
	readonly issues: Issue[]
}

function schema<T>(fields: () => Record<string, Shape>): StandardSchemaV1<T> {
	const shape = struct(fields)
	const validate = (value: unknown): Result<T> => {
		const walk: Walk = { path: [], issues: [] }
		shape.types(value, walk)
		if (walk.issues.length === 0) shape.rules(value, walk, undefined)
		return walk.issues.length === 0 ? { value: value as T } : { issues: walk.issues }
	}
	return { ...shape, "~standard": { version: 1, vendor: "kkrpc", validate } }
}

function report(walk: Walk, problem: string): void {
	walk.issues.push({ message: nameOf(walk.path) + " " + problem, path: [...walk.path] })
}

function nameOf(path: readonly PropertyKey[]): string {
	const last = path[path.length - 1]
	if (last === undefined) return "the value"
	return typeof last === "number" ? nameOf(path.slice(0, -1)) + "[" + last + "]" : String(last)
}

function holds<T>(rules: readonly Rule<T>[], value: T, walk: Walk, fields: any): boolean {
	for (const [tag, test] of rules) {
		const passes = test(value, fields)
		if (passes === false) report(walk, tag === "required" ? "is required" : "must satisfy " + tag)
		if (!passes) return false
	}
	return true
}

function scalar<T>(what: string, is: (value: unknown) => boolean, read: (value: any) => T, rules: readonly Rule<T>[]): Shape {
	return {
		types(value, walk) {
			if (!is(value)) report(walk, "must be " + what)
		},
		rules(value, walk, fields) {
			holds(rules, read(value), walk, fields)
		},
	}
}

function text(...rules: Rule<string>[]): Shape {
	return scalar("a string", (value) => typeof value === "string", (value = "") => value, rules)
}

function bool(...rules: Rule<boolean>[]): Shape {
	return scalar("a boolean", (value) => typeof value === "boolean", (value = false) => value, rules)
}

function real(...rules: Rule<number>[]): Shape {
	return scalar("a number", Number.isFinite, (value = 0) => value, rules)
}

function float(...rules: Rule<number>[]): Shape {
	return scalar("a number", (value) => typeof value === "number", (value = 0) => value, rules)
}

function single(...rules: Rule<number>[]): Shape {
	const is = (value: unknown) => typeof value === "number" && Number.isFinite(Math.fround(value))
	return scalar("a number of 32 bits", is, (value = 0) => Math.fround(value), rules)
}

function integer(...rules: Rule<number>[]): Shape {
	return scalar("an integer", Number.isSafeInteger, (value = 0) => value, rules)
}

function integerIn(low: number, high: number, ...rules: Rule<number>[]): Shape {
	const is = (value: unknown) => typeof value === "number" && Number.isInteger(value) && low <= value && value <= high
	return scalar("an integer from " + low + " to " + high, is, (value = 0) => value, rules)
}

/** numeral is a number in a string. */
function numeral(pattern: RegExp, low: number, high: number, ...rules: Rule<number>[]): Shape {
	const is = (value: unknown) => typeof value === "string" && pattern.test(value) && low <= Number(value) && Number(value) <= high
	return scalar("a number in a string", is, (value = 0) => Number(value), rules)
}

function date(...rules: Rule<number>[]): Shape {
	return scalar("a date", (value) => !Number.isNaN(instant(value)), instant, rules)
}

function bytes(...rules: Rule<number | undefined>[]): Shape {
	return scalar("a Uint8Array", (value) => value === null || value instanceof Uint8Array, (value) => sizeOf(value) ?? undefined, rules)
}

function base64(...rules: Rule<number | undefined>[]): Shape {
	const is = (value: unknown) => value === null || (typeof value === "string" && sizeOf(value) !== null)
	return scalar("base64", is, (value) => sizeOf(value) ?? undefined, rules)
}

/** encoded is a string that Go reads by a method. */
function encoded(): Shape {
	return scalar("a string", (value) => value === null || typeof value === "string", () => undefined, [])
}

function anything(): Shape {
	return { types() {}, rules() {} }
}

function unruled(shape: object): Shape {
	return { types: (shape as Shape).types, rules() {} }
}

function nullable(shape: Shape, ...rules: Rule<null>[]): Shape {
	return {
		types(value, walk) {
			if (value !== null) shape.types(value, walk)
		},
		rules(value, walk, fields) {
			if (value == null) holds(rules, null, walk, fields)
			else shape.rules(value, walk, fields)
		},
	}
}

function struct(fields: () => Record<string, Shape>, ...rules: Rule<any>[]): Shape {
	let all: [string, Shape][] | undefined
	const eachField = (value: any, walk: Walk, look: (shape: Shape, part: unknown) => void) => {
		all ??= Object.entries(fields())
		for (const [name, shape] of all) {
			walk.path.push(name)
			look(shape, value[name])
			walk.path.pop()
		}
	}
	return {
		types(value, walk) {
			if (!isObject(value)) return report(walk, "must be an object")
			eachField(value, walk, (shape, part) => part === undefined || shape.types(part, walk))
		},
		rules(value = {}, walk, fields) {
			if (holds(rules, value, walk, fields)) eachField(value, walk, (shape, part) => shape.rules(part, walk, value))
		},
	}
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** nested is a shape, or the schema of one, with rules of the place where it stands. */
function nested(shape: object, ...rules: Rule<any>[]): Shape {
	const inner = shape as Shape
	return {
		types: inner.types,
		rules(value = {}, walk, fields) {
			if (holds(rules, value, walk, fields)) inner.rules(value, walk, fields)
		},
	}
}

function list(shape: Shape, ...rules: Rule<readonly any[] | undefined>[]): Shape {
	return {
		types(value, walk) {
			if (Array.isArray(value)) eachElement(value, walk, (part) => shape.types(part, walk))
			else if (value !== null) report(walk, "must be an array")
		},
		rules(value, walk, fields) {
			if (holds(rules, value ?? undefined, walk, fields)) eachElement(value ?? [], walk, (part) => shape.rules(part, walk, fields))
		},
	}
}

function tuple(length: number, shape: Shape, ...rules: Rule<readonly any[]>[]): Shape {
	return {
		types(value, walk) {
			if (Array.isArray(value) && value.length === length) eachElement(value, walk, (part) => shape.types(part, walk))
			else report(walk, "must be an array of " + length)
		},
		rules(value, walk, fields) {
			const parts = value ?? Array.from({ length })
			if (!holds(rules, parts, walk, fields)) return
			eachElement(parts, walk, (part) => shape.rules(value === undefined ? undefined : part, walk, fields))
		},
	}
}

function eachElement(value: readonly unknown[], walk: Walk, look: (part: unknown) => void): void {
	for (let i = 0; i < value.length; i++) {
		walk.path.push(i)
		look(value[i] ?? null)
		walk.path.pop()
	}
}

function record(shape: Shape, ...rules: Rule<any>[]): Shape {
	return entries(anything(), shape, ...rules)
}

/** entries is a record whose names have a shape too. */
function entries(key: Shape, shape: Shape, ...rules: Rule<any>[]): Shape {
	const each = (value: object, walk: Walk, look: (part: unknown, name: string) => void) => {
		for (const [name, part] of Object.entries(value)) {
			if (part === undefined) continue
			walk.path.push(name)
			look(part, name)
			walk.path.pop()
		}
	}
	return {
		types(value, walk) {
			if (value === null) return
			if (!isObject(value)) return report(walk, "must be an object")
			each(value, walk, (part, name) => (key.types(name, walk), shape.types(part, walk)))
		},
		rules(value, walk, fields) {
			if (!holds(rules, value ?? undefined, walk, fields)) return
			each(value ?? {}, walk, (part, name) => (key.rules(name, walk, fields), shape.rules(part, walk, fields)))
		},
	}
}

/** must is the error of a rule, in the words of the server. */
function must(tag: string, ...path: string[]) {
	const problem = tag === "required" ? "is required" : "must satisfy " + tag
	const error = (issue: { readonly path?: readonly PropertyKey[] | undefined }) => nameOf(issue.path ?? path) + " " + problem
	return { abort: true, error, ...(path.length > 0 ? { path } : {}) }
}

/** runes counts characters as Go does. */
function runes(value: string): number {
	let n = 0
	for (const _ of value) n++
	return n
}

function count(value: object | null | undefined): number {
	if (Array.isArray(value)) return value.length
	return Object.values(value ?? {}).filter((part) => part !== undefined).length
}

function unique(value: object | null | undefined, key: (part: any) => unknown): boolean {
	const parts = Object.values(value ?? {}).filter((part) => part !== undefined)
	return new Set(parts.map(key)).size === parts.length
}

/** sizeOf is the number of bytes, in an array or as base64, and null for none and for what is not base64. */
function sizeOf(value: string | Uint8Array | null | undefined): number | null {
	if (typeof value !== "string") return value?.length ?? null
	const digits = value.replace(/[\r\n]/g, "")
	if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits)) return null
	return (digits.length / 4) * 3 - (digits.endsWith("==") ? 2 : digits.endsWith("=") ? 1 : 0)
}

/** noTime is the zero time of Go in milliseconds. */
const noTime = -62135596800000

/** instant is a date in milliseconds as the server reads it, and NaN if it cannot. */
function instant(value: unknown): number {
	if (value === undefined) return noTime
	if (value instanceof Date) return value.getTime()
	const form = /^(\d{4}|\+\d{6}|-(?!000000)\d{6})-(\d\d)-(\d\d)(?:T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d)))?$/
	const parts = typeof value === "string" ? form.exec(value) : null
	if (parts === null) return NaN
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map((part) => Number(part ?? 0))
	const [offsetHours = 0, offsetMinutes = 0] = parts.slice(9).map((part) => Number(part ?? 0))
	if (!dayExists(year, month, day) || hour > 23 || minute > 59 || second > 59 || offsetHours > 24 || offsetMinutes > 60) return NaN
	const utc = new Date(0)
	utc.setUTCFullYear(year, month - 1, day)
	utc.setUTCHours(hour, minute, second, Number(((parts[7] ?? "") + "000").slice(0, 3)))
	const offset = (offsetHours * 60 + offsetMinutes) * 60000
	return new Date(utc.getTime() + (parts[8] === "-" ? offset : -offset)).getTime()
}

function dayExists(year: number, month: number, day: number): boolean {
	const utc = new Date(0)
	utc.setUTCFullYear(year, month - 1, day)
	return utc.getUTCMonth() === month - 1 && utc.getUTCDate() === day
}

/** isDay reports whether a text has the form of a date, whose day exists. */
function isDay(value: string, form: RegExp): boolean {
	const parts = form.exec(value)?.groups
	return parts !== undefined && dayExists(Number(parts["year"] ?? 0), Number(parts["month"] ?? 1), Number(parts["day"]))
}

function isEmail(value: string): boolean {
	const at = value.lastIndexOf("@")
	const local = value.slice(0, at)
	const domain = value.slice(at + 1)
	if (at < 1 || domain.includes("..")) return false
	const atoms = /^[\w!#$%&'*+\-/=?^`{|}~\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF]+)*$/
	const quoted = /^"(?:[\t !#-[\]-~\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF]|\\[\t -~\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF])+"$/
	if (!atoms.test(local) && !quoted.test(local)) return false
	return (
		/^[a-zA-Z\d\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF][a-zA-Z\d.~\-\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF]*$/.test(domain) &&
		/[a-zA-Z\d\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF]\.[a-zA-Z\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF]/.test(domain) &&
		/[a-zA-Z\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF]$/.test(domain)
	)
}

interface URLParts {
	readonly scheme: string
	readonly opaque: string
	readonly host: string
	readonly path: string
}

/** urlParts are those that Go finds in a URL without its fragment, and undefined if it finds a mistake. */
function urlParts(url: string): URLParts | undefined {
	const [, scheme = "", rest = ""] = /^(?:([a-zA-Z][a-zA-Z\d+.-]*):)?([^?]*)/.exec(url) ?? []
	if (/[\0-\x1F\x7F]/.test(url) || url.startsWith(":")) return undefined
	if (scheme !== "" && !rest.startsWith("/")) return { scheme, opaque: rest, host: "", path: "" }
	const [, authority, path = ""] = (scheme !== "" && /^\/\/([^/]*)(.*)$/.exec(rest)) || ["", "", rest]
	const at = authority.lastIndexOf("@")
	const user = authority.slice(0, Math.max(at, 0))
	const host = authority.slice(at + 1)
	const isUser = /^(?:[\w.~!$&'()*+,;=:@-]|%[\da-fA-F]{2})*$/.test(user)
	return isUser && isHost(scheme.toLowerCase(), host) && isEscaped(path) ? { scheme, opaque: "", host, path } : undefined
}

function isEscaped(part: string): boolean {
	return !/%(?![\da-fA-F]{2})/.test(part)
}

function isHost(scheme: string, host: string): boolean {
	if (host.startsWith("[")) {
		const [, address, zone] = /^\[([\da-fA-F:.]*)(%25[\w.~!$&'()*+,;=:-]+)?\](?::\d*)?$/.exec(host) ?? []
		return address !== undefined && address.includes(":") && ipVersion(address) > 0 && zone !== ""
	}
	const colon = scheme === "http" || scheme === "https" ? host.indexOf(":") : host.lastIndexOf(":")
	if (colon >= 0 && !/^:\d*$/.test(host.slice(colon))) return false
	return /^(?:[\w.~!$&'()*+,;=:\]<>"-]|[^\0-\x7F]|%(?:[89a-fA-F][\da-fA-F]|25))*$/.test(host)
}

function isURL(value: string): boolean {
	const [url = "", ...fragment] = value.toLowerCase().split("#")
	const parts = urlParts(url)
	if (parts === undefined || parts.scheme === "" || !isEscaped(fragment.join("#"))) return false
	if (parts.scheme === "file") return parts.path !== "" && parts.path !== "/"
	return parts.host !== "" || parts.opaque !== "" || fragment.join("#") !== ""
}

function isHttpURL(value: string): boolean {
	return isURL(value) && /^https?:\/\/[^/?#]*[^/?#@]/i.test(value)
}

function isHttpsURL(value: string): boolean {
	return isHttpURL(value) && /^https/i.test(value)
}

function isURI(value: string): boolean {
	const [uri = ""] = value.split("#")
	const parts = urlParts(uri)
	return parts !== undefined && (parts.scheme !== "" || uri === "*" || uri.startsWith("/"))
}

/** ipVersion is 4 or 6, or 0 for what is no address. An IPv4 address written as IPv6 has version 4. */
function ipVersion(value: string): number {
	const v4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
	if (v4.test(value)) return 4
	const [, head, tail] = /^(.*:)([\d.]+\.[\d.]+)$/.exec(value) ?? []
	if (tail !== undefined && !v4.test(tail)) return 0
	const [a = 0, b = 0, c = 0, d = 0] = (tail ?? "").split(".").map(Number)
	const hex = tail === undefined ? value : head + (a * 256 + b).toString(16) + ":" + (c * 256 + d).toString(16)
	const [left = [], right, ...more] = hex.split("::").map((half) => (half === "" ? [] : half.split(":")))
	const groups = [...left, ...(right ?? [])]
	if (more.length > 0 || !groups.every((group) => /^[\da-fA-F]{1,4}$/.test(group))) return 0
	if (right === undefined ? groups.length !== 8 : groups.length > 7) return 0
	const zeros = Array.from({ length: 8 - groups.length }, () => "0")
	const all = [...left, ...zeros, ...(right ?? [])].map((group) => parseInt(group, 16))
	return all.slice(0, 5).every((group) => group === 0) && all[5] === 0xffff ? 4 : 6
}

function isIP(value: string): boolean {
	return ipVersion(value) > 0
}

function isIPv4(value: string): boolean {
	return ipVersion(value) === 4
}

function isIPv6(value: string): boolean {
	return ipVersion(value) === 6
}

function isLowercase(value: string): boolean {
	return value !== "" && value === value.toLowerCase()
}

/** isUppercase leaves alone characters without an upper case of one character, as Go does. */
function isUppercase(value: string): boolean {
	const rest = value.replace(/[\u00DF\u0149\u01F0\u0390\u03B0\u0587\u1E96-\u1E9A\u1F50\u1F52\u1F54\u1F56\u1F88-\u1F8F\u1F98-\u1F9F\u1FA8-\u1FAF\u1FB2\u1FB4\u1FB6\u1FB7\u1FBC\u1FC2\u1FC4\u1FC6\u1FC7\u1FCC\u1FD2\u1FD3\u1FD6\u1FD7\u1FE2-\u1FE4\u1FE6\u1FE7\u1FF2\u1FF4\u1FF6\u1FF7\u1FFC\uFB00-\uFB17]/g, "")
	return value !== "" && rest === rest.toUpperCase()
}
