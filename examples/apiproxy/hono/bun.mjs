import { Hono } from "hono"
import { upgradeWebSocket, websocket } from "hono/bun"
import { createHonoWebSocketHandler } from "./dist/index.mjs"

globalThis.UPSTREAM = process.env.UPSTREAM // which the Go program reads when it starts

const app = new Hono()

app.get("/api", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

const server = Bun.serve({ port: process.env.PORT ?? 3000, fetch: app.fetch, websocket })

console.log(`serving ws://localhost:${server.port}/api`)
