/**
 * @typedef {import("./index.js").ConnectionClosed} DeclaredClosed
 * @typedef {import("./index.js").SessionLost} DeclaredLost
 */

/**
 * A connection that has ended by a close frame, or without one: then the code is 1006.
 *
 * @implements {DeclaredClosed}
 */
export class ConnectionClosed extends Error {
	name = /** @type {const} */ ("ConnectionClosed")

	/**
	 * @param {number} code
	 * @param {string} reason
	 */
	constructor(code, reason) {
		super(`connection closed with ${code}${reason && `: ${reason}`}`)
		this.code = code
		this.reason = reason
	}
}

/**
 * A session that cannot go on.
 *
 * @implements {DeclaredLost}
 */
export class SessionLost extends Error {
	name = /** @type {const} */ ("SessionLost")

	/**
	 * @param {string} reason
	 * @param {string} [detail]
	 */
	constructor(reason, detail) {
		super(`session lost: ${detail || reason}`)
		this.reason = reason
	}
}
