import { Hono } from 'hono'
import { upgradeWebSocket, websocket } from 'hono/bun'
import { createHonoWebSocketHandler } from './dist/index.mjs'
import { addMiddleware } from './middleware.mjs'

const app = new Hono()
addMiddleware(app)

app.get('/ws', upgradeWebSocket((c) => {
  return createHonoWebSocketHandler(c)
}))

// Start server
const server = Bun.serve({
  port: 3000,
  fetch: app.fetch,
  websocket
})

console.log(`Server running on port ${server.port}`)
