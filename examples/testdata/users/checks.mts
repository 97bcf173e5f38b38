// Calls a server of the users example by kkrpc 0.2, on two connections.
import { RPCChannel, WebSocketClientIO, deserializeMessage } from "kkrpc"
import { WebSocket } from "ws"
import { isCreateUserError, isDeleteUserError, isUpdateUserError, type Changes, type ServerAPI, type User } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any

const url = process.argv[2]!

/** A queue of what the server has told. */
class Told<T> {
	#told: T[] = []
	#waiting: ((value: T) => void) | undefined
	put = (value: T) => {
		if (this.#waiting) this.#waiting(value)
		else this.#told.push(value)
		this.#waiting = undefined
	}
	next = async () => (this.#told.length > 0 ? this.#told.shift()! : new Promise<T>((resolve) => (this.#waiting = resolve)))
}

function connect(url: string) {
	const [updates, deletes] = [new Told<User>(), new Told<string>()]
	const io = new WebSocketClientIO({ url })
	const expose = { onUserUpdate: updates.put, onUserDelete: deletes.put }
	return { api: new RPCChannel<typeof expose, ServerAPI>(io, { expose }).getAPI(), updates, deletes, close: () => io.destroy() }
}

/** The error of a call, as a page makes it of the message. */
async function failure(call: Promise<unknown>): Promise<any> {
	const error: Error = await call.then(
		() => new Error("it succeeded"),
		(error) => error
	)
	if (!error.message.startsWith('{"json":')) return error
	const { message, ...details } = (await deserializeMessage(error.message)) as any
	return Object.assign(new Error(message), details)
}

const fields = (error: any) => error.issues.map(({ path, message }: any) => `${path.join(".")}: ${message}`).join(", ")
const show = (user: User) => `${user.name}, ${user.email}, ${user.role}, ${user.note}, version ${user.version}`

const ada = connect(url + "?errors=text")
const eve = connect(url + "?errors=text")
await ada.api.getUsers()
console.log("list:", (await eve.api.getUsers()).map(({ name }) => name).join(", "))

const bob = await ada.api.createUser({ name: "Bob", email: "Bob@Example.com", role: "viewer", note: "new" })
console.log("created:", show(bob), bob.updatedAt instanceof Date)
console.log("told:", show(await eve.updates.next()), "and", show(await ada.updates.next()))

const change = async (changes: Changes) => {
	const user = await ada.api.updateUser(bob.id, changes)
	const told = await eve.updates.next()
	console.log("changed:", show(user), told.version === user.version && told.updatedAt.getTime() === user.updatedAt.getTime())
	return user
}
await change({ name: "Robert" })
await change({ note: null })
await change({ note: undefined, role: "editor" })
const { version } = await change({ note: "back", version: 4 })

const create = await failure(ada.api.createUser({ name: "", email: "at home", role: "king" as any, note: "x".repeat(201) }))
console.log("invalid:", isCreateUserError(create), create.name, fields(create))
const update = await failure(ada.api.updateUser(bob.id, { name: "", email: "at home", note: "x".repeat(201) }))
console.log("invalid:", isUpdateUserError(update), update.name, fields(update))
for (const call of [ada.api.createUser({ name: "Eve", email: "ADA@example.com", role: "viewer" }), ada.api.updateUser(bob.id, { email: "ada@example.com" })]) {
	const taken = await failure(call)
	console.log("taken:", isCreateUserError(taken), taken.name, taken.email, "|", taken.message)
}
const missing = await failure(ada.api.updateUser("nobody", { name: "Eve" }))
console.log("missing:", isUpdateUserError(missing), missing.name, missing.id)

const both = await Promise.allSettled([ada, eve].map(({ api }, i) => api.updateUser(bob.id, { name: `Bob ${i}`, version })))
const lost = both.findIndex(({ status }) => status === "rejected")
const conflict = await failure(Promise.reject((both[lost] as PromiseRejectedResult).reason))
console.log("at once:", both.map(({ status }) => status).sort().join(" and "))
console.log("conflict:", isUpdateUserError(conflict), conflict.current.name === `Bob ${1 - lost}`, conflict.current.version, conflict.current.updatedAt instanceof Date)
console.log("told once:", (await eve.updates.next()).version)

const plain = connect(url)
console.log("message only:", (await failure(plain.api.deleteUser("nobody"))).message)
console.log("a wrong type:", (await failure(ada.api.updateUser(bob.id, { name: 7 as any }))).message)

await eve.api.deleteUser(bob.id)
console.log("deleted:", (await ada.deletes.next()) === bob.id, (await plain.deletes.next()) === bob.id)
const again = await failure(ada.api.deleteUser(bob.id))
console.log("again:", isDeleteUserError(again), again.name, again.id === bob.id)
const late = await failure(ada.api.updateUser(bob.id, { name: "Bob", version: 6 }))
console.log("too late:", late.name)
console.log("list:", (await ada.api.getUsers()).map(({ name }) => name).join(", "))
for (const client of [ada, eve, plain]) client.close()
