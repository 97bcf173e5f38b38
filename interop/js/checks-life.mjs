// Checks of calls that end before their answer comes, of metadata, and of the end of a connection.
import { strict as assert } from "node:assert"

export const lifeChecks = [
	{
		name: "life/call-timeout",
		needs: ["call-options"],
		run: async ({ api, withCallOptions }) => {
			await assert.rejects(withCallOptions(api, { timeout: 50 }).slow(300), /timed out/)
			assert.equal(await api.slow(300), "slept 300")
		}
	},
	{
		name: "life/abort",
		needs: ["call-options"],
		run: async ({ api, withCallOptions }) => {
			const abort = new AbortController()
			setTimeout(() => abort.abort(), 50)
			await assert.rejects(withCallOptions(api, { signal: abort.signal }).slow(300))
			assert.equal(await api.slow(300), "slept 300")
		}
	},
	{
		name: "life/metadata",
		needs: ["metadata"],
		run: async ({ api, setMetadata }) => {
			setMetadata({
				requestId: "r1",
				traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
				custom: { list: [1, null], dotted: { "a.b": true } }
			})
			try {
				assert.equal(await api.greet("metadata"), "Hello, metadata!")
			} finally {
				setMetadata(undefined)
			}
		}
	},
	{
		name: "life/destroy-fails-pending",
		needs: ["destroy"],
		run: async ({ connect }) => {
			const other = await connect()
			assert.equal(await other.api.greet("first"), "Hello, first!")
			const pending = other.api.slow(5000)
			setTimeout(() => other.close(), 50)
			await assert.rejects(pending, Error)
		}
	},
	{
		name: "life/connections-are-separate",
		needs: ["destroy"],
		run: async ({ api, connect }) => {
			for (let i = 0; i < 20; i++) {
				const other = await connect()
				assert.equal(await other.api.greet("briefly"), "Hello, briefly!")
				other.close()
			}
			assert.equal(await api.greet("survivor"), "Hello, survivor!")
		}
	}
]
