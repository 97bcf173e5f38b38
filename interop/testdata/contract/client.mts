// Uses each type as it is meant, and checks that the values are of these types.
import assert from "node:assert"
import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import { type Article, contract, isDeleteError, type SellerID, type Shop, State } from "./shop.gen.ts"

globalThis.WebSocket ??= WebSocket as any
const io = new WebSocketClientIO({ url: process.argv[2]! + contract })
const shop: Shop = new RPCChannel<{}, Shop>(io).getAPI()

const found: Article | null = await shop.find("a")
assert(found !== null)
const created: Date = found.created
const serial: string = found.serial
const note: string | null = found.note
const tags: string[] | undefined = found.tags
assert(created instanceof Date && serial === "1152921504606846976" && note === null && tags === undefined)
assert.strictEqual(await shop.find("none"), null)

const first = await shop.search("x")
const next: string | null = first.next
assert(next === "x" && first.items[0]!.id === "a")
assert.strictEqual((await shop.search("x", next)).next, null)

let steps = 0
const saved = await shop.save({ id: "b", state: "draft", created: new Date(5), note: null, serial: "7" }, (done: number, total: number) => {
	steps += done + total
})
assert(saved.created.getTime() === 5 && saved.state === "draft" && steps === 3)

const count = await shop.count()
const sold: number | undefined = count.sold
assert(sold === 2 && count.draft === undefined)
assert(count[State.Sold] === 2 && found.state === State.Sold)

const sellers = await shop.sellers()
const seller = "s1" as SellerID
const color: `#${string}` | undefined = sellers[seller]
assert.strictEqual(color, "#ff0000")
assert.strictEqual(await shop.sum(1, 2, 3.5), 6.5)

const states: Record<State, string> = { draft: "…", sold: "✓" }
assert(states[saved.state])

const values = await shop.values({
	at: new Date(0),
	bytes: Uint8Array.of(1, 2),
	big: 1n << 70n,
	url: new URL("https://example.com/"),
	set: new Set([1]),
	map: new Map([["a", 1]]),
	typed: Float64Array.of(0.5),
	none: undefined
})
assert(values.at instanceof Date && values.bytes instanceof Uint8Array && values.big === 1n << 70n && values.url instanceof URL)
assert(values.set instanceof Set && values.map instanceof Map && values.typed instanceof Float64Array && values.none === undefined)

const refused = await shop.delete("a").catch((error: unknown) => error)
assert(refused instanceof Error && refused.message === "not yours")
if (isDeleteError(refused)) { // kkrpc 0.2 has messages only
	const reason: string = refused.name === "Gone" ? "gone" : refused.seller
	assert.strictEqual(reason, "s1")
	const known: "Gone" | "NotYours" = refused.name
	assert.strictEqual(known, "NotYours")
}

const older = new WebSocketClientIO({ url: process.argv[2]! + "AAAAAAAAAAAA" })
await assert.rejects(new RPCChannel<{}, Shop>(older).getAPI().sum(1), /this client was built for another version of the API/)
older.destroy()

console.log("as typed")
io.destroy()
