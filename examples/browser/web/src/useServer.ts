import { RPCChannel } from "kkrpc/browser"
import { connect, ConnectionClosed, type State } from "kkrpc-go-client"
import { useEffect, useState } from "react"
import type { API } from "./api.gen.ts"

export interface Server {
	readonly api: API
	readonly state: State
	/** Grows with each connection that replaces one. */
	readonly round: number
}

/** Connects while the component is shown. It is undefined before the first effect. */
export function useServer(url: string): Server | undefined {
	const [server, setServer] = useState<Server>()
	const [round, setRound] = useState(0)

	useEffect(() => {
		const connection = connect(url, { dialect: "classic-superjson" }) // that of kkrpc 0.x
		const api = new RPCChannel<{}, API>(connection).getAPI()
		const show = (state: State) => setServer({ api, state, round })
		show(connection.state)

		let timer: ReturnType<typeof setTimeout> | undefined
		const stop = connection.onState((state) => {
			show(state)
			// The server was restarted, or this page was away for too long: begin again with a new connection.
			if (state.phase === "closed" && !refuses(state.reason)) {
				timer = setTimeout(() => setRound((n) => n + 1), 500 + 1000 * Math.random())
			}
		})
		return () => {
			clearTimeout(timer)
			stop()
			connection.close()
		}
	}, [url, round])

	return server
}

/** Says whether the server does not want this page, so that trying again is of no use. */
function refuses(reason: Error | undefined): boolean {
	return reason instanceof ConnectionClosed && reason.code >= 4401 && reason.code <= 4403
}
