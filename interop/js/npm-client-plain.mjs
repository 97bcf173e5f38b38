// A kkrpc client over npm/client on a server that knows no sessions: npm-client-plain.mjs URL json|superjson
import process from "node:process"
import { connect } from "../../npm/client/index.js"
import { loadKkrpc } from "./npm-client-load.mjs"

const [url, version] = process.argv.slice(2)
const { RPCChannel } = await loadKkrpc("0.2.2")
const connection = connect(url, { dialect: `classic-${version}` })
connection.onState(({ phase }) => console.log(phase))
console.log(await new RPCChannel(connection, { serialization: { version } }).getAPI().greet("plain"))
connection.close()
