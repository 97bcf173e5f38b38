// Prints what bytes-in-runtime.mjs finds, as JSON: <runtime> bytes-run.mjs URL
import process from "node:process"
import { exchange, measure } from "./bytes-in-runtime.mjs"

const { WebSocket = (await import("ws")).WebSocket } = globalThis // Node 20 has none
console.log(JSON.stringify({ values: await exchange(process.argv[2], WebSocket), times: measure() }))
process.exit(0)
