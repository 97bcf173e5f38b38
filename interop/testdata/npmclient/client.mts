// Uses the installed package with kkrpc 0.2.2: client.mts URL
import { RPCChannel } from "kkrpc"
import { connect } from "kkrpc-go-client"
import { WebSocket } from "ws"

const connection = connect(process.argv[2], { dialect: "classic-superjson", WebSocket })
const channel = new RPCChannel<{}, { greet(name: string): Promise<string> }>(connection)
console.log(await channel.getAPI().greet("package"))
connection.close()
console.log(connection.state.phase)
