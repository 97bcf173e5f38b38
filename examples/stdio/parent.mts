import { spawn } from "node:child_process"
import process from "node:process"
import { NodeIo, RPCChannel } from "kkrpc"
import type { API } from "./child.gen.ts"

const parentAPI = { confirm: (what: string) => `${what} confirmed by TypeScript` }

const command = process.argv.length > 2 ? process.argv.slice(2) : ["go", "run", "./child"]
const child = spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "inherit"] })
const rpc = new RPCChannel<typeof parentAPI, API>(new NodeIo(child.stdout, child.stdin), { expose: parentAPI })
const api = rpc.getAPI()

console.log(await api.greet("World")) // Hello, World!
console.log(await api.launch(3, (n) => console.log(n))) // 3, 2, 1, lift-off confirmed by TypeScript

child.stdin.end() // the child ends
