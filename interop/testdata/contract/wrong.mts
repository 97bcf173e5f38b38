// Each line behind a directive must be an error: the compiler complains about a directive without one.
import type { Article, ArticleInput, Color, SellerID, Shop, ShopJSON } from "./both.ts"
import { isDeleteError } from "./shop.gen.ts"

export async function wrong(shop: Shop, json: ShopJSON, article: Article, input: ArticleInput) {
	// @ts-expect-error no such function
	await shop.remove("a")
	// @ts-expect-error a number is no id
	await shop.find(5)
	// @ts-expect-error it may be null
	;(await shop.find("a")).id
	// @ts-expect-error no such state
	await shop.save({ id: "b", state: "lost", created: new Date(), note: null, serial: "7" }, () => {})
	// @ts-expect-error a callback gets numbers
	await shop.save(article, (done: string) => {})
	// @ts-expect-error the callback is missing
	await shop.save(article)
	// @ts-expect-error a quoted number is a string
	const serial: number = article.serial
	// @ts-expect-error a field may be null
	const note: string = article.note
	// @ts-expect-error a field may be absent
	const tags: string[] = article.tags
	// @ts-expect-error a promise is no value
	const sum: number = shop.sum(1)
	// @ts-expect-error a number that may be absent
	const sold: number = (await shop.count()).sold
	// @ts-expect-error no such key
	;(await shop.count()).lost
	// @ts-expect-error by SuperJSON a date arrives
	const created: string = article.created
	// @ts-expect-error by JSON a string arrives
	const date: Date = (await json.find("a"))!.created
	// @ts-expect-error what arrives by JSON has no dates
	const sent: Article = input
	// @ts-expect-error the end of a list has no cursor
	const next: string = (await shop.search("x")).next
	// @ts-expect-error a bigint is no number
	const big: number = (await shop.values({} as any)).big
	// @ts-expect-error any string is no id of a seller
	const seller: SellerID = "s1"
	// @ts-expect-error any string is no color
	const color: Color = "red"
	// @ts-expect-error too many arguments
	await shop.delete("a", "b")
	const error: unknown = undefined
	// @ts-expect-error anything may be thrown
	error.seller
	if (!isDeleteError(error)) return
	// @ts-expect-error only one of the errors has a seller
	error.seller
	// @ts-expect-error no error has this name
	if (error.name === "Lost") return
}
