// What the clients of every runtime have in common.
import { clientAPI } from "./api.mjs"
import { capabilities } from "./capabilities.mjs"
import { checks, run } from "./checks.mjs"

/**
 * runClient runs the checks that a kkrpc can make against the server at url, and resolves to how many failed. On connections
 * that are cut it leaves out those that need answers in time.
 */
export async function runClient(kkrpc, { url, codec, version, channel, cut }, print) {
	const connect = () => kkrpc.connect(url, clientAPI(version))
	const connection = await connect()
	const can = capabilities(version, channel, codec)
	if (cut) can.delete("time")
	const failed = await run(checks, { ...kkrpc, ...connection, connect, can, version }, print)
	connection.close()
	return failed
}
