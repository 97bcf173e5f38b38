import { Hono } from 'hono'
import { GoDurableObject } from './dist/index.mjs'

// All connections of one object meet in one instance of the Go program.
export class Rpc extends GoDurableObject {
  app = new Hono()

  constructor(ctx, env) {
    super(ctx, env)
    this.app.get('/ws', (c) => this.upgrade(c))
  }

  fetch(request) {
    return this.app.fetch(request, this.env)
  }
}

const app = new Hono()

app.get('/ws', (c) => c.env.RPC.get(c.env.RPC.idFromName('rpc')).fetch(c.req.raw))

export default app
