// A kkrpc 0.2 client over HTTP that runs the conformance checks which one response per request allows, in the runtime
// that runs this file:
//   <runtime> http-client.mjs URL json|superjson
// It prints what client.mjs prints.
import { strict as assert } from "node:assert"
import process from "node:process"
import { HTTPClientIO, RPCChannel } from "kkrpc/http"
import { capabilities } from "./capabilities.mjs"
import { checks, run } from "./checks.mjs"

const [url, codec] = process.argv.slice(2)
const rpc = new RPCChannel(new HTTPClientIO({ url }), { serialization: { version: codec } })

const possible = checks.filter(({ name }) => /^(basic|echo|errors|concurrency|values)\//.test(name))
const impossible = [
	{ name: "http/callback", run: async ({ api }) => assert.rejects(api.onProgress(1, () => {}), /HTTP, carries no functions/) },
	{ name: "http/call-back", run: async ({ api }) => assert.rejects(api.callMe("Go"), /a server cannot call its client/) },
	{ name: "http/after", run: async ({ api }) => assert.equal(await api.greet("World"), "Hello, World!") }
]

const failed = await run([...possible, ...impossible], { api: rpc.getAPI(), can: capabilities("0.2.2", "base", codec), version: "0.2.2" })
process.exit(failed === 0 ? 0 : 1)
