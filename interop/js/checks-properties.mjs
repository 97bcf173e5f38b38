// Checks of properties and constructors.
import { strict as assert } from "node:assert"

export const propertyChecks = [
	{ name: "props/get", run: async ({ api }) => assert.equal(await api.version, "1.0.0") },
	{ name: "props/get-nested", run: async ({ api }) => assert.equal(await api.settings.theme, "light") },
	{ name: "props/get-object", run: async ({ api }) => assert.deepEqual(await api.settings, { theme: "light" }) },
	{
		name: "props/set",
		run: async ({ api }) => {
			api.settings.theme = "dark" // an assignment has no answer to wait for; what is sent later is handled later
			assert.equal(await api.settings.theme, "dark")
			api.settings.theme = "light"
			assert.equal(await api.settings.theme, "light")
		}
	},
	{
		name: "props/missing-is-undefined",
		needs: ["undefined"],
		run: async ({ api }) => assert.equal(await api.settings.missing, undefined)
	},
	{
		name: "props/missing-is-an-error",
		needs: ["missing"],
		run: async ({ api }) => assert.rejects(async () => await api.settings.missing, /not found/)
	},
	{ name: "props/missing-parent", run: async ({ api }) => assert.rejects(async () => await api.no.such.thing, Error) },
	{ name: "new/start", run: async ({ construct }) => assert.deepEqual(await construct("Counter", 5), { count: 5 }) },
	{ name: "new/default", run: async ({ construct }) => assert.deepEqual(await construct("Counter"), { count: 0 }) },
	{ name: "new/missing", run: async ({ construct }) => assert.rejects(construct("NoSuchThing"), Error) }
].map((check) => ({ ...check, needs: ["objects", ...(check.needs ?? [])] }))
