// The script of a page with one connection of npm/client, which the test looks at. It would wait for an hour before it tries again.
import { RPCChannel } from "kkrpc"
import { connect } from "../../npm/client/index.js"

const hour = 3_600_000
const connection = connect("/ws", { dialect: "classic-json", backoff: { min: hour, max: hour } })
Math.random = () => 1
globalThis.phases = []
connection.onState(({ phase }) => globalThis.phases.push(phase))
globalThis.api = new RPCChannel(connection, { serialization: { version: "json" } }).getAPI()
