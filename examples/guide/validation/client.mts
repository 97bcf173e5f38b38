import { RPCChannel } from "kkrpc"
import { isRPCValidationError } from "kkrpc/validation"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<{}, API>(transport)
const api = rpc.getAPI()

const show = (error: unknown) => {
	if (!isRPCValidationError(error)) throw error
	console.log(error.phase, error.method)
	for (const issue of error.issues) console.log(" ", issue.path?.join("."), "→", issue.message)
}

const user = await api.create({ name: "Ada", email: "ada@example.com" })
console.log(user.id, user.name)
await api.create({ name: "Ada", email: "at home", tags: ["ok", "not ok"] }).catch(show)
await api.broken().catch(show)

rpc.destroy()
