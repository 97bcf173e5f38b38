import { Hono } from 'hono'
import { upgradeWebSocket } from 'hono/cloudflare-workers'
import { createHonoWebSocketHandler } from './dist/index.mjs'

const app = new Hono()

app.get('/ws', upgradeWebSocket((c) => {
  return createHonoWebSocketHandler(c)
}))

export default app
