/** runtime is the one that runs this, by its name in package interop/js. */
export const runtime = nameOf(globalThis)

function nameOf({ Deno, Bun, navigator, document }) {
	if (Deno) return "deno"
	if (Bun) return "bun"
	if (navigator?.userAgent === "Cloudflare-Workers") return "workerd"
	if (document && /Chrome/.test(navigator.userAgent)) return "chromium"
	return globalThis.process?.release?.name // "node" in Node
}
