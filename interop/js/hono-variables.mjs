// Variables that middleware sets before a Go program inside Hono.

/** Of the context that the program's own handler is given. */
export async function own(c, next) {
	const cycle = {}
	cycle.self = cycle
	const variables = {
		number: 7, text: "héllo \ud83d\ude00", list: [1, "two", null], nothing: null, none: undefined, bytes: new Uint8Array([1, 2, 255]),
		date: new Date(0), f: () => {}, nested: { deep: [{ f() {} }] }, map: new Map([["a", 1]]), big: 2n ** 60n, cycle,
		payload: JSON.parse(`{"id":9007199254740993,"text":"9007199254740993"}`), // as that of a token is read
		throws: { toJSON() { throw new Error("no thanks") } }, nan: { x: NaN }, request: c.req.raw, failure: Object.assign(new Error("x"), { code: 1 }),
		native: { size: 1, get [Symbol.toStringTag]() { return "HeadResult" } }, // as R2 has them
		fits: "x".repeat(998), large: "x".repeat(999), ["__proto__"]: "a name", mine: c.req.query("mine"),
	}
	for (const name of Object.keys(variables)) c.set(name, variables[name])
	c.set("user", { name: "Ada", roles: ["admin"] })
	const inside = { changed: false }
	c.set("inside", inside)
	await next()
	inside.changed = true
	c.set("late", "too late")
}

/** Of the context of a Worker before a Durable Object. */
export async function passing(c, next) {
	c.set("user", { name: "of the Worker", roles: [] }) // the object's own comes first
	c.set("passed", { name: "Grace", roles: ["worker"] })
	c.set("kept", "not passed on")
	await next()
}
