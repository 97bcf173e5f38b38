// A kkrpc child that serves the conformance API to the process that started it, in the runtime that runs this file:
//   <runtime> stdio-child.mjs 0.2.2|0.7.0|2.1.0 json|superjson [node]
import process from "node:process"
import { makeAPI } from "./api.mjs"
import { load } from "./stdio-peer.mjs"

const [version, codec, adapter] = process.argv.slice(2)
const kkrpc = await load(version, codec)
const api = makeAPI(() => parent, {})
api.print = (...lines) => lines.forEach((line) => console.log(line))
api.exit = (status) => process.exit(status)
const parent = kkrpc.serve(api, adapter)
