// A Worker whose answer is what client.mjs prints: GET /?url=ws://…&version=0.2.2|compact&codec=json|superjson
import { runBundled } from "./bundled-client.mjs"

export default {
	async fetch(request) {
		return new Response(await runBundled(Object.fromEntries(new URL(request.url).searchParams)))
	}
}
