// A Worker whose answer is what bytes-in-runtime.mjs finds: GET /?url=ws://… Time stands still in it.
import { exchange } from "./bytes-in-runtime.mjs"

export default {
	async fetch(request) {
		return Response.json({ values: await exchange(new URL(request.url).searchParams.get("url")) })
	}
}
