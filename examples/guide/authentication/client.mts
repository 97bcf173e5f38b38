import { RPCChannel } from "kkrpc"
import { type ConnectOptions, connect } from "kkrpc-go-client"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

const server = "localhost:3000"

/** Signs in, and returns the cookie. A browser keeps it by itself, and sends it with each request. */
async function signIn(user: string, password: string): Promise<string> {
	const response = await fetch(`http://${server}/login`, { method: "POST", body: new URLSearchParams({ user, password }) })
	if (!response.ok) throw new Error(await response.text())
	return response.headers.getSetCookie()[0].split(";")[0]
}

/** Asks for a token or a ticket. */
async function ask(kind: "token" | "ticket", cookie: string): Promise<string> {
	const response = await fetch(`http://${server}/${kind}`, { method: "POST", headers: { cookie } })
	if (!response.ok) throw new Error(await response.text())
	return response.text()
}

function open(options: ConnectOptions) {
	const connection = connect(`ws://${server}/ws`, { dialect: "classic-superjson", WebSocket, ...options })
	/** Resolves with the reason of the end. */
	const closed = new Promise<string>((resolve) => {
		connection.onState(({ phase, reason }) => phase === "closed" && resolve(reason?.message ?? "closed by this side"))
	})
	const api = new RPCChannel<{}, API>(connection).getAPI()
	return { api, closed, close: () => connection.close() }
}

const message = (error: Error) => error.message

// Nobody has signed in yet: a page sees the code and the reason.
const stranger = open({})
console.log(await stranger.api.whoami().catch(message))

// A cookie, as a page has it.
const cookie = await signIn("Eve", "apple")
class WebSocketWithCookie extends WebSocket {
	constructor(url: string | URL, protocols: string[]) {
		super(url, protocols, { headers: { cookie } })
	}
}
const page = open({ WebSocket: WebSocketWithCookie })
console.log("cookie:", await page.api.whoami(), "|", await page.api.publish("news").catch(message))

// A token is asked for at each attempt to connect, and renewed while the connection is open.
const program = open({ token: () => ask("token", cookie) })
console.log("token:", await program.api.whoami())
await program.api.renew(await ask("token", cookie))
console.log("later:", await program.closed)

// A ticket in the URL is good for one connection.
const ticket = await ask("ticket", await signIn("Ada", "lovelace"))
const admin = open({ token: async () => ticket, tokenParameter: "ticket", session: false })
console.log("ticket:", await admin.api.whoami(), "|", await admin.api.publish("news"))
console.log("again:", await open({ token: async () => ticket, tokenParameter: "ticket", session: false }).closed)
admin.close()

// Signing out ends the connections of the login.
await fetch(`http://${server}/logout`, { method: "POST", headers: { cookie } })
console.log("page:", await page.closed)
