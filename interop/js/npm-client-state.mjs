// Prints the first state of a connection of npm/client that is open, or has a reason: <runtime> npm-client-state.mjs URL
import process from "node:process"
import { connect } from "../../npm/client/index.js"

const { WebSocket = (await import("ws")).WebSocket } = globalThis // Node 20 has none
const connection = connect(process.argv[2], { WebSocket })
connection.onState(({ phase, reason }) => {
	if (phase === "connecting" && !reason) return
	console.log(phase, reason?.message ?? "")
	connection.close()
	process.exit()
})
