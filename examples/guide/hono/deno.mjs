import { Hono } from 'hono'
import { upgradeWebSocket } from 'hono/deno'
import { createHonoWebSocketHandler } from './dist/index.mjs'

const app = new Hono()

app.get('/ws', upgradeWebSocket((c) => {
  return createHonoWebSocketHandler(c)
}))

Deno.serve({
  port: 3000,
  onListen: ({ port }) => console.log(`Server running on port ${port}`)
}, app.fetch)
