// How messages of kkrpc 0.x begin. Requests have an array of arguments, and so have callbacks; answers have an object.
const REQUEST = /^\{(?:"json":\{)?"id":"([\w-]+)","method":"[^"\\]*","args":\[/
const ID = /^\{(?:"json":\{)?"id":"([\w-]+)"/
const CALLBACK = '],"type":"callback"'

/** The calls of kkrpc 0.x that wait for an answer. kkrpc 0.x does not end them itself when the connection closes. */
export class Calls {
	/** @type {Set<string>} */
	#waiting = new Set()

	/**
	 * Notes the call that a text begins, if it begins one.
	 *
	 * @param {string} text
	 */
	begin(text) {
		const id = REQUEST.exec(text)?.[1]
		if (id && !text.includes(CALLBACK)) this.#waiting.add(id)
	}

	/**
	 * Forgets the call that a text answers.
	 *
	 * @param {string} text
	 */
	end(text) {
		if (this.#waiting.size > 0) this.#waiting.delete(ID.exec(text)?.[1] ?? "")
	}

	/**
	 * Returns an answer for each waiting call, by which kkrpc rejects it.
	 *
	 * @param {string} error
	 */
	refuse(error) {
		const answers = [...this.#waiting].map(
			(id) => `${JSON.stringify({ id, method: "", args: { error }, type: "response", version: "json" })}\n`,
		)
		this.#waiting.clear()
		return answers
	}
}
