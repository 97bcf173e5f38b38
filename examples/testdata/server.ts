// What may be done with index.mjs, in the types of Hono's helpers.
import { Hono } from "hono"
import { upgradeWebSocket as bun } from "hono/bun"
import { upgradeWebSocket as deno } from "hono/deno"
import { upgradeWebSocket as workers } from "hono/cloudflare-workers"
import { upgradeWebSocket as node } from "@hono/node-server"
import { createHonoWebSocketHandler, maxMessage, start } from "./index.mjs"
import { createHonoWebSocketHandler as plain, createInstance } from "./workers/index.mjs"

const { handler, start: startOne } = createInstance()
const app = new Hono<{ Bindings: { A: string }, Variables: { user: string } }>()
app.get("/a/:room", bun((c) => createHonoWebSocketHandler(c)))
app.get("/a", bun(() => createHonoWebSocketHandler()))
app.get("/b/:room", deno((c) => createHonoWebSocketHandler(c)))
app.get("/c/:room", node((c) => createHonoWebSocketHandler(c)))
app.get("/d/:room", workers((c) => plain(c)))
app.get("/e/:room", workers((c) => handler(c)))
await start()
const most: number = await maxMessage()
await startOne()
// @ts-expect-error
createHonoWebSocketHandler({ expose: {} })
