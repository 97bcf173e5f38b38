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
		constructor(ctx: DurableObjectState, env: Env)
		protected ctx: DurableObjectState
		protected env: Env
	}
}

// Of Workers, as far as it is used.

interface WebSocket {
	accept(): void
	serializeAttachment(attachment: unknown): void
	deserializeAttachment(): any
}

declare var WebSocketPair: new () => { 0: WebSocket; 1: WebSocket }

interface ResponseInit {
	webSocket?: WebSocket
}

interface DurableObjectState {
	storage: DurableObjectStorage
	acceptWebSocket(ws: WebSocket, tags: string[]): void
	getWebSockets(tag: string): WebSocket[]
}

interface DurableObjectTransaction {
	get(key: string): Promise<unknown>
	put(key: string, value: unknown): Promise<void>
	delete(key: string): Promise<boolean>
	list(options: { prefix?: string; start?: string; end?: string; limit?: number; reverse?: boolean }): Promise<Map<string, unknown>>
	getAlarm(): Promise<number | null>
	setAlarm(at: number): Promise<void>
	deleteAlarm(): Promise<void>
}

interface DurableObjectStorage extends DurableObjectTransaction {
	deleteAll(): Promise<void>
	transaction<T>(f: (transaction: DurableObjectTransaction) => Promise<T>): Promise<T>
}
