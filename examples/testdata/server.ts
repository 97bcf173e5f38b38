// What may be done with index.mjs, in the types of Hono's helpers.
import { Hono } from "hono"
import { upgradeWebSocket as bun } from "hono/bun"
import { upgradeWebSocket as deno } from "hono/deno"
import { upgradeWebSocket as workers } from "hono/cloudflare-workers"
import { serve, upgradeWebSocket as node } from "@hono/node-server"
import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { createHonoWebSocketHandler, createWebSocketServer, maxMessage, start, type API, type Message } from "./dist/index.mjs"
import { createHonoWebSocketHandler as plain, createInstance, forward, type API as WorkersAPI } from "./workers/index.mjs"

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
serve({ fetch: app.fetch, websocket: { server: await createWebSocketServer() } })
const sockets = await createWebSocketServer({ pingInterval: 10_000, perMessageDeflate: true })
sockets.on("connection", (ws) => ws.close())
// @ts-expect-error
await createWebSocketServer({ noServer: false })
// @ts-expect-error
createHonoWebSocketHandler({ expose: {} })

app.get("/f", (c) => fetch(forward(c, ["user"])))
app.get("/g", (c) => fetch(forward(c)))
// @ts-expect-error
app.get("/h", (c) => fetch(forward(c, ["nobody"])))

const api = new RPCChannel<{}, API>(new WebSocketClientIO({ url: "ws://localhost:3000/ws" })).getAPI()
const other = new RPCChannel<{}, WorkersAPI>(new WebSocketClientIO({ url: "ws://localhost:3000/ws" })).getAPI()
const heard: Message[] = await api.getMessages("typescript")
await api.sendMessage("Hi!", "typescript").then((reached: number) => reached)
const names: string[] = await other.members()
// @ts-expect-error
await api.members()
// @ts-expect-error
await other.greet(1)
