// What the files here find in each runtime, for `tsc --checkJs`. The packages with all types of a runtime exclude each other.

declare var Go: (new () => import("./runtime.mjs").Go) | undefined

declare namespace Deno {
	const env: { get(name: string): string | undefined }
	function serve(options: { port: number; onListen(at: { port: number }): void }, handler: unknown): void
}

declare namespace Bun {
	function file(path: string): Blob
	function serve(options: { port: number; fetch: unknown; websocket: object }): { port: number }
}

interface ImportMeta {
	dir: string // in Bun
}

declare var Cloudflare: { compatibilityFlags: Record<string, boolean> } | undefined

interface Request {
	cf?: Record<string, unknown>
}
interface RequestInit {
	cf?: Record<string, unknown>
	duplex?: "half"
}

declare module "*.wasm" {
	const program: any // in Bun a path, on Workers a WebAssembly.Module
	export default program
}

declare module "cloudflare:workers" {
	abstract class DurableObject<Env = any> {
		constructor(ctx: unknown, env: Env)
		protected env: Env
	}
}
