import { NodeIo, RPCChannel } from "kkrpc"

const api = { greet: (name) => `Hello, ${name}!` }
new RPCChannel(new NodeIo(process.stdin, process.stdout), { expose: api })
