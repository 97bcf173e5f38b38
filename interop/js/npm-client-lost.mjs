// A kkrpc client over npm/client whose session the server gives up while a call is pending:
//   <runtime> npm-client-lost.mjs URL 0.2.2|2.1.0
// It prints what becomes of the connection and of the call.
import process from "node:process"
import { connect } from "../../npm/client/index.js"
import { loadKkrpc } from "./npm-client-load.mjs"

const [url, version] = process.argv.slice(2)
const { RPCChannel } = await loadKkrpc(version)
const connection = connect(url, { dialect: version === "2.1.0" ? "compact-json" : "classic-json", backoff: { min: 1 } })
const closed = new Promise((resolve) => connection.onState(({ phase, reason }) => phase === "closed" && resolve(reason)))
const rpc = new RPCChannel(connection, { serialization: { version: "json" } })
const call = rpc.getAPI().wait().then(() => "answered", (err) => `${err.name}: ${err.message}`)
const { name, reason, message } = await closed
console.log(name, reason, message)
console.log(await Promise.race([call, new Promise((resolve) => setImmediate(resolve, "pending"))]))
process.exit(0)
