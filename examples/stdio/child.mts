import process from "node:process"
import { NodeIo, RPCChannel } from "kkrpc"
import type { API } from "./parent.gen.ts"

const api = {
	greet: (name: string) => `Hello, ${name}!`,
	launch: (from: number, tick: (n: number) => void) => {
		for (let n = from; n > 0; n--) tick(n) // a function of the parent
		return rpc.getAPI().confirm("lift-off")
	}
}

const rpc = new RPCChannel<typeof api, API>(new NodeIo(process.stdin, process.stdout), { expose: api })

console.log("the child is ready") // what is no message, the parent prints
