import { HTTPClientIO, RPCChannel } from "kkrpc"
import type { API } from "./api.gen.ts"

const io = new HTTPClientIO({ url: "http://localhost:3000/rpc" })
const api = new RPCChannel<{}, API>(io).getAPI()

console.log(await api.greet("World"))
console.log(await api.visit(), await api.visit())
console.log(await api.askBack().catch((error) => String(error)))

// Without the package: one message of kkrpc 2 is one POST.
const response = await fetch("http://localhost:3000/rpc", {
	method: "POST",
	headers: { "Content-Type": "application/json" },
	body: JSON.stringify({ t: "q", id: "1", op: "call", p: ["add"], a: [2, 3] })
})
console.log(await response.text())
