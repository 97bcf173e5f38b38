// A kkrpc parent that starts a child and runs the conformance checks against it, in the runtime that runs this file:
//   <runtime> stdio-parent.mjs 0.2.2|0.7.0|2.1.0 json|superjson COMMAND [ARG...]
// It prints one line of JSON per check, {"check","ok","error"?}, then {"passed","failed","runtime"}, then a check of how the child
// ended once its standard input was closed.
import { spawn } from "node:child_process"
import process from "node:process"
import { clientAPI } from "./api.mjs"
import { capabilities } from "./capabilities.mjs"
import { checks, run } from "./checks.mjs"
import { load } from "./stdio-peer.mjs"

const [version, codec, command, ...args] = process.argv.slice(2)
const kkrpc = await load(version, codec)
const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] })
const exited = new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)))
const { api, send } = kkrpc.start(child, clientAPI(version))

const can = capabilities(version, "base", codec)
for (const feature of ["destroy", "call-options", "metadata", "objects"]) can.delete(feature) // need more than one channel or its own
const failed = await run(checks, { api, codec, can, version, send, callback: (fn) => fn })
child.stdin.end()
console.log(JSON.stringify({ check: "stdio/exit", ok: (await exited) === 0, error: `the child ended with ${await exited}` }))
process.exit(failed === 0 ? 0 : 1)
