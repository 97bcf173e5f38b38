// Values that JSON text does not have, as a form holds them: instances of Date and Uint8Array, undefined and NaN.
import assert from "node:assert/strict"
import * as standard from "./standard.gen.ts"
import * as superStandard from "./super-standard.gen.ts"
import * as superZod from "./super-zod.gen.ts"
import * as zod from "./zod.gen.ts"

type Check = (value: unknown) => string[]
const standardChecks = (file: typeof standard | typeof superStandard, form: "Fields" | "Lists" | "Numbers"): Check => (value) => {
	const result = file[`${form}Schema`]["~standard"].validate(value)
	return (result.issues ?? []).map((issue) => issue.message)
}
const zodChecks = (file: typeof zod | typeof superZod, form: "Fields" | "Lists" | "Numbers"): Check => (value) => {
	const result = file[`${form}Schema`].safeParse(value)
	return result.success ? [] : result.error.issues.map((issue) => issue.message)
}

const fields = {
	password: "ab", confirm: "ab", low: 1, high: 2, most: 0, least: 0, status: "open", user: "", if: "a", with: "b", withAll: [], without: 1,
	none: true, excluded: "", nothing: "", other: undefined, count: undefined,
}
const [early, late] = [new Date(1), new Date(2)]
for (const check of [standardChecks(standard, "Fields"), standardChecks(superStandard, "Fields"), zodChecks(zod, "Fields"), zodChecks(superZod, "Fields")]) {
	assert.deepEqual(check({ ...fields, from: early, until: late, born: early }), [])
	assert.deepEqual(check({ ...fields, from: late, until: early }), ["until must satisfy gtfield=From"])
	assert.deepEqual(check({ ...fields, from: early, until: late, born: new Date("2999-01-01") }), ["born must satisfy lt"])
	assert.equal(check({ ...fields, from: new Date(NaN), until: late }).length, 1)
	assert.deepEqual(check({ ...fields, confirm: "no", from: early, until: late }), ["confirm must satisfy eqfield=Password"])
}

const lists = {
	tags: ["a"], zero: [], nil: [1, 2], exact: [], items: [], pointers: [], loose: [], nested: [], words: [], pair: ["a", "b"],
	map: { a: { key: "a", note: "" }, b: undefined }, keys: {}, numbered: {}, values: {}, deep: {}, optional: undefined,
}
for (const check of [standardChecks(superStandard, "Lists"), zodChecks(superZod, "Lists")]) {
	const bytes = { bytes: Uint8Array.of(1, 2, 3), must: Uint8Array.of(1) }
	const typed = { ...lists, map: { a: { key: "a", note: "" } } }
	assert.deepEqual(check({ ...typed, ...bytes }), [])
	assert.deepEqual(check({ ...typed, ...bytes, bytes: new Uint8Array(4) }), ["bytes must satisfy max=3"])
	assert.deepEqual(check({ ...typed, ...bytes, must: new Uint8Array(0) }), ["must must satisfy min=1"])
	assert.equal(check({ ...typed, ...bytes, must: "AQ==" }).length, 1)
	assert.deepEqual(check({ ...typed, ...bytes, tags: ["a", ""] }), ["tags[1] is required"])
}
assert.deepEqual(standardChecks(standard, "Lists")({ ...lists, bytes: "AQ==", must: "AQ==" }), [])

const numbers = {
	int: 1, small: 0, unsigned: 1, wide: 0, float: 1, single: 0, level: 3, quoted: "6", yes: true, no: false, pointer: 1, bare: "a",
}
assert.deepEqual(standardChecks(standard, "Numbers")({ ...numbers, float: NaN }), ["float must be a number"])
assert.deepEqual(standardChecks(superStandard, "Numbers")({ ...numbers, float: NaN }), ["float must satisfy min=-0.5"])
assert.deepEqual(standardChecks(standard, "Numbers")({ ...numbers, level: 128 }), ["level must be an integer from -128 to 127"])
console.log("as the server")
