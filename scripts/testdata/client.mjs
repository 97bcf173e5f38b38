// Calls the demo server of the installed command by the installed packages: client.mjs URL
import { connect } from "kkrpc-go-client"
import { RPCChannel } from "kkrpc"
import { WebSocket } from "ws"

const connection = connect(process.argv[2], { dialect: "classic-superjson", WebSocket })
console.log(await new RPCChannel(connection).getAPI().greet("tarball")) // Hello, tarball!
connection.close()
