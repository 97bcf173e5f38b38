// A parent of kkrpc 0.2 whose child has its messages on the descriptors 3 and 4:
//   <runtime> stdio-pipes-parent.mjs command [args...]
import { spawn } from "node:child_process"
import process from "node:process"
import { NodeIo, RPCChannel } from "kkrpc"

const [command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ["inherit", "inherit", "inherit", "pipe", "pipe"] })
const ended = new Promise((resolve) => child.on("exit", resolve))
const io = new NodeIo(child.stdio[4], child.stdio[3])
const api = new RPCChannel(io, {}).getAPI()
console.log(await api.greet("parent"))
child.stdio[3].end()
console.log("ended with", await ended)
process.exit()
