import { spawn } from "node:child_process"
import process from "node:process"
import { NodeIo, RPCChannel } from "kkrpc"
import type { API } from "./child.gen.ts"

const [command, ...args] = process.argv.slice(2) // of the child: npx tsx parent.mts ./child
const child = spawn(command!, args, { stdio: ["pipe", "pipe", "inherit"] })
const api = new RPCChannel<{}, API>(new NodeIo(child.stdout, child.stdin)).getAPI()

console.log(await api.hash(["one", "two"], (done) => console.log("line", done)))

child.on("exit", (code) => console.log("the child ended with", code))
child.stdin.end()
