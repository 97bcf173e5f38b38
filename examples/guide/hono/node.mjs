import { serve, upgradeWebSocket } from '@hono/node-server'
import { Hono } from 'hono'
import { createHonoWebSocketHandler, createWebSocketServer } from './dist/index.mjs'

const app = new Hono()

app.get('/ws', upgradeWebSocket((c) => {
  return createHonoWebSocketHandler(c)
}))

serve({
  port: 3000,
  fetch: app.fetch,
  websocket: { server: await createWebSocketServer() }
}, ({ port }) => console.log(`Server running on port ${port}`))
