/** A connection that has ended by a close frame, or without one: then the code is 1006. */
export class ConnectionClosed extends Error {
	name = "ConnectionClosed"

	constructor(code, reason) {
		super(`connection closed with ${code}${reason && `: ${reason}`}`)
		this.code = code
		this.reason = reason
	}
}

/** A session that cannot go on. */
export class SessionLost extends Error {
	name = "SessionLost"

	constructor(reason, detail) {
		super(`session lost: ${detail || reason}`)
		this.reason = reason
	}
}
