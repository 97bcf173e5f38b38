// What the types of the package allow and what they refuse. Nothing runs this.
import { type Connection, ConnectionClosed, SessionLost, type State, connect } from "kkrpc-go-client"

/** The transport of kkrpc 2, as its core/transport.ts has it. */
interface Transport<Message> {
	capabilities?: { objectMode?: boolean; transfer?: boolean; broadcast?: boolean; remoteRefs?: boolean }
	send(message: Message, transfers?: object[]): void | Promise<void>
	subscribe(listener: (message: Message) => void): () => void
	close?(): void
	onClose?(listener: (reason?: Error) => void): () => void
}

type Message = { t: string; id?: string }

export const transport: Transport<Message> = connect("/ws")
export const typed: Connection<Message> = connect(new URL("wss://example.com/ws"), {
	dialect: "compact-superjson",
	codec: { encode: (message: Message) => JSON.stringify(message), decode: (text) => JSON.parse(text) },
	session: true,
	bytes: false,
	protocols: ["chat"],
	token: async () => "token",
	backoff: { min: 100, max: 10_000 },
	connectTimeout: 5000,
	heartbeat: { interval: 10_000, timeout: 5000, probe: () => {} },
	replayBuffer: 1 << 16,
	signal: new AbortController().signal
})

export function describe(state: State): string {
	switch (state.phase) {
		case "open":
			return "open"
		case "paused":
			return state.reason.message // always there
		case "connecting":
		case "closed":
			if (state.reason instanceof SessionLost && state.reason.reason === "unknown") return "begin again"
			if (state.reason instanceof ConnectionClosed) return `${state.reason.code} ${state.reason.reason}`
			return state.reason?.message ?? ""
	}
}

const stop: () => void = typed.onState((state) => describe(state))
stop()

// @ts-expect-error there is no such dialect
connect("/ws", { dialect: "compact" })
// @ts-expect-error no such state
export const wrong = typed.state.phase === "idle"
// @ts-expect-error the state is read-only
typed.state = { phase: "open" }
// @ts-expect-error a codec writes text
connect("/ws", { codec: { encode: () => new Uint8Array(), decode: () => ({}) } })
