// A kkrpc client over npm/client that runs the conformance checks in the runtime that runs this file:
//   <runtime> npm-client.mjs URL json|superjson [0.2.2|2.1.0|compact [base|streaming|remote-refs]]
// It prints what client.mjs prints. CUT=1 says that the connections are cut.
import process from "node:process"
import { loadOverNpmClient } from "./npm-client-load.mjs"
import { runClient } from "./run-client.mjs"

const [url, codec, version = "0.2.2", channel = "base"] = process.argv.slice(2)
const kkrpc = await loadOverNpmClient(version, channel, codec)
const failed = await runClient(kkrpc, { url, codec, version, channel, cut: process.env.CUT }, console.log)
process.exit(failed === 0 ? 0 : 1)
