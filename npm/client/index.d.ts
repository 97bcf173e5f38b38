/**
 * Connects to a server and returns at once; calls wait until the connection is open. What connect returns is the transport
 * of kkrpc 2 and the IO of kkrpc 0.x, and goes as it is to one `new RPCChannel`.
 *
 * While the server keeps the session, the connection survives its sockets: it is paused and open again, and the channel
 * above it goes on. A server without sessions gets a plain connection, which is closed once its socket has ended.
 *
 * A server that selects no subprotocol, such as Go inside Hono, learns from the URL what the client speaks. `?kkrpc=compact-json`
 * names a dialect. `?kkrpc=compact-json,bytes.1` also has bytes travel as bytes in both directions, which a server in Go takes.
 * With such a URL no subprotocol is offered, and so no session, unless options ask for them.
 *
 * @param url The server, such as `wss://example.com/ws`. In a browser it may be relative to the page.
 * @throws TypeError if the runtime has no WebSocket and options name none, or if the URL and the option dialect disagree.
 */
export function connect<Message = any>(url: string | URL, options?: ConnectOptions<Message>): Connection<Message>

export interface ConnectOptions<Message = any> {
	/**
	 * What the channel speaks, which the client names to the server by the subprotocol `kkrpc.<dialect>`. The default is
	 * that of the URL, or compact-json, that of kkrpc 2. kkrpc 0.x needs classic-superjson, or classic-json with `serialization: { version:
	 * "json" }`. null names none.
	 */
	dialect?: "compact-json" | "compact-superjson" | "classic-json" | "classic-superjson" | null

	/** The codec of kkrpc 2, for instance `superJsonCodec()` with compact-superjson. The default is JSON. */
	codec?: { encode(message: Message): string; decode(text: string): Message }

	/** Whether the client offers a session. The default is true, unless the URL names a dialect. A server may decline it. */
	session?: boolean

	/**
	 * Whether the client offers to send and receive bytes as bytes, beside the text of a message: Uint8Array, Node.js's
	 * Buffer, the other typed arrays, ArrayBuffer, and DataView. They may stand anywhere in arguments, results, values, items
	 * and fields of errors, in arrays and plain objects, and with a codec of your own in Map and Set. Instances of classes
	 * and objects with a toJSON method are left to the codec. The default is true. A server may decline it; bytes are then
	 * what the codec makes of them. A dialect of kkrpc 0.x, or null, offers no bytes: kkrpc 0.x hands over text. Nor is anything
	 * offered if the URL names a dialect, since it then says whether bytes travel so.
	 *
	 * A message is taken when it is sent, so the bytes may be changed and transferred afterwards. What arrives is a view of
	 * its message: it keeps the memory of the whole message, and its buffer holds more than the view. Copy it, for instance
	 * by `slice()`, before you transfer its buffer or keep a small part of a large message. An ArrayBuffer arrives as a copy.
	 */
	bytes?: boolean

	/** Further subprotocols that are offered, behind that of the dialect. */
	protocols?: string[]

	/**
	 * Returns what tells the server who the client is. It is called for each attempt. If it fails, so does the attempt, and
	 * the next one calls it again. The token is sent as the subprotocol `kkrpc.token.<token>`, so it may have letters,
	 * digits and `-_.~+` in it, as a JSON Web Token has; any other token ends the connection with a TypeError. A token of
	 * another user ends the session.
	 */
	token?: () => string | Promise<string>

	/**
	 * Sends the token as this parameter of the URL instead. Logs keep URLs, so this is for tickets that are good for one
	 * connection.
	 */
	tokenParameter?: string

	/**
	 * How long to wait before the next attempt, in milliseconds: a random time from 0 to a bound, which is min at first
	 * (500), doubles with each attempt that fails, and grows to max (30,000). While a server keeps a paused session, the
	 * bound is at most a quarter of the time that it keeps it. A message of the server brings the bound back to min. There
	 * is no bound on the number of attempts: set a signal, or close the connection.
	 */
	backoff?: { min?: number; max?: number }

	/** How long one attempt may take until the connection is open, token included, in milliseconds. The default is 10,000. */
	connectTimeout?: number

	/** Finds a network that has gone without a word, for which a browser's WebSocket has no means. */
	heartbeat?: {
		/** How long the server may be silent before it is asked, in milliseconds; it may take up to twice as long. The default is 25,000; 0 never asks. */
		interval?: number
		/** How long its answer may take before the socket is given up, in milliseconds. The default is 10,000. */
		timeout?: number
		/** Makes the server send something on a connection without a session, for instance by a call. Without it those are not asked. */
		probe?: () => void
	}

	/**
	 * How many bytes of messages, as they are sent, are kept for a server that has not acknowledged them. The default is 1,048,576. The server
	 * may want less. On an open connection further messages wait. On a paused one, or before the first one, a further
	 * message ends the connection with a SessionLost whose reason is buffer.
	 */
	replayBuffer?: number

	/** Closes the connection. Pending calls of kkrpc 2 are rejected with the signal's reason. */
	signal?: AbortSignal

	/** The class of sockets. The default is the global WebSocket, which Node.js has from version 22 on. Node.js 20 needs that of package ws. */
	WebSocket?: WebSocketConstructor
}

/**
 * The state of a connection. A closed connection stays closed.
 *
 * - connecting: it has not been open yet. reason is why the last attempt failed.
 * - open
 * - paused: the session goes on, and there is no socket at the moment. reason is why the last one ended, or the last attempt failed.
 * - closed: reason is a ConnectionClosed, a SessionLost, the reason of the signal, or what the WebSocket threw about the URL
 *   or the subprotocols. Without a reason this side has closed it.
 */
export type State =
	| { readonly phase: "connecting"; readonly reason?: Error }
	| { readonly phase: "open"; readonly reason?: undefined }
	| { readonly phase: "paused"; readonly reason: Error }
	| { readonly phase: "closed"; readonly reason?: Error }

/** What RPCChannel of kkrpc 2 (Transport) and of kkrpc 0.x (IoInterface) take, and the state of the connection. */
export interface Connection<Message = any> {
	/** The present state. The object is another one after each change. */
	readonly state: State
	/** Calls the listener with each new state, also for each attempt that fails. It returns what ends that. */
	onState(listener: (state: State) => void): () => void

	// kkrpc 2
	readonly capabilities: { objectMode: boolean; transfer: boolean; remoteRefs: boolean }
	/** @throws the reason of the end on a closed connection. */
	send(message: Message): void
	subscribe(listener: (message: Message) => void): () => void
	/** Calls the listener once when the connection is closed, unless this side has called close. A close with code 1000 has no reason. */
	onClose(listener: (reason?: Error) => void): () => void
	/** Closes the connection and ends its session. `destroy` of the channel calls it. */
	close(): void

	// kkrpc 0.x
	readonly name: string
	/**
	 * On a closed connection it resolves with an answer for each call that waits, by which kkrpc rejects the call with the
	 * reason's message. Without one it never resolves.
	 */
	read(): Promise<string>
	/** Never rejects. On a closed connection it refuses the call that the text begins. */
	write(text: string): Promise<void>
	/** Does what close does. */
	destroy(): void
	/** Asks the server to close the connection. */
	signalDestroy(): void
}

/** The server has closed the connection, or a connection without a session was lost. */
export class ConnectionClosed extends Error {
	readonly name: "ConnectionClosed"
	/** The code of the close frame; 1006 if none has come. */
	readonly code: number
	/** The text of the close frame, or what the runtime says of the failure; it may be empty. */
	readonly reason: string
}

/**
 * A session cannot go on, and nobody knows which of the pending calls have been done. A connection without a session ends by
 * the last three reasons too.
 *
 * - unknown: the server has no such session. It has ended, the server was restarted, or the token is of another user.
 * - behind: the server no longer has messages that this side has missed.
 * - buffer: replayBuffer is full.
 * - unsupported: the server that answers has no sessions, or a message waits whose bytes it does not take and the codec
 *   cannot write, such as a BigInt64Array under JSON.
 * - protocol: the server has sent what it may not, such as a malformed frame with bytes.
 */
export class SessionLost extends Error {
	readonly name: "SessionLost"
	readonly reason: "unknown" | "behind" | "buffer" | "unsupported" | "protocol" | (string & {})
}

/** A socket as the WHATWG standard has it, as far as it is used here. */
export interface WebSocketLike {
	binaryType: string
	readonly protocol: string
	onopen: ((event: any) => void) | null
	onmessage: ((event: any) => void) | null
	onerror: ((event: any) => void) | null
	onclose: ((event: any) => void) | null
	send(data: string | ArrayBuffer | ArrayBufferView): void
	close(code?: number): void
}

export interface WebSocketConstructor {
	new (url: any, protocols?: any): WebSocketLike
}
