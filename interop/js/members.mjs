// Calls create of a server with objects that lack a member: node members.mjs URL superjson|json
// It prints what kkrpc 0.2.2 makes of each answer.
import process from "node:process"
import { loadKkrpc } from "./npm-client-load.mjs"

const [url, version] = process.argv.slice(2)
const { RPCChannel, WebSocketClientIO } = await loadKkrpc("0.2.2")
const api = new RPCChannel(new WebSocketClientIO({ url }), { serialization: { version } }).getAPI()
for (const user of [{ name: "Ada" }, { name: undefined }, {}, { name: "Ada", address: {} }]) {
	console.log(await api.create(user).catch((err) => err.message ?? String(err)))
}
process.exit(0)
