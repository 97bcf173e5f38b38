// Uses the types under kkrpc 2 and JSON, and checks that the values are of these types.
import assert from "node:assert"
import { wrap } from "kkrpc/streaming"
import { webSocketClientTransport } from "kkrpc/ws"
import { type Article, contract, isDeleteError, type SellerID, type Shop } from "./json.gen.ts"

const transport = webSocketClientTransport({ url: process.argv[2]! + contract })
const shop: Shop = wrap<Shop>(transport)

const found: Article | null = await shop.find("a")
assert(found !== null)
const created: string = found.created
assert(created === "1970-01-01T00:00:00.000Z" && found.note === null && !("tags" in found))
const saved = await shop.save({ ...found, created: new Date(5), state: "draft" }, () => {})
assert(new Date(saved.created).getTime() === 5 && saved.state === "draft")

const days: string[] = []
for await (const day of shop.days(2)) days.push(day)
assert.deepStrictEqual(days, ["1970-01-01T00:00:00.000Z", "1970-01-02T00:00:00.000Z"])

const errors: string[] = []
for (const id of ["a", "gone", "other"]) {
	await shop.delete(id).catch((error: unknown) => {
		if (isDeleteError(error)) {
			const seller: SellerID | undefined = error.name === "NotYours" ? error.seller : undefined
			errors.push(`${error.name} ${seller}`)
		} else {
			errors.push(String(error))
		}
	})
}
assert.deepStrictEqual(errors, ["NotYours s1", "Gone undefined", "Error: no such article"])

const older = wrap<Shop>(webSocketClientTransport({ url: process.argv[2]! + "AAAAAAAAAAAA" }))
const refused: any = await older.sum(1).catch((error: unknown) => error)
assert(refused.name === "RPCContractError" && refused.contract === contract)
assert.deepStrictEqual(refused.changes, [])

console.log("as typed")
process.exit()
