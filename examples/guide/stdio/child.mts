import process from "node:process"
import { NodeIo, RPCChannel } from "kkrpc"
import type { API } from "./parent.gen.ts"

const api = {
	shout: async (text: string) => `${text} from ${await parent.title()}`.toUpperCase(),
	quit: (code: number) => process.exit(code)
}

console.log("the child prints as it likes")

const parent = new RPCChannel<typeof api, API>(new NodeIo(process.stdin, process.stdout), { expose: api }).getAPI()
