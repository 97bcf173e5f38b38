// Prints what bytes-in-runtime.mjs finds, as JSON: <runtime> bytes-run.mjs URL [plain], where plain is without sessions.
import process from "node:process"
import { exchange, measure } from "./bytes-in-runtime.mjs"

const { WebSocket = (await import("ws")).WebSocket } = globalThis // Node 20 has none
const [url, plain] = process.argv.slice(2)
if (plain) console.log(JSON.stringify({ values: await exchange(url, WebSocket, [false]) }))
else console.log(JSON.stringify({ values: await exchange(url, WebSocket), times: measure() }))
process.exit(0)
