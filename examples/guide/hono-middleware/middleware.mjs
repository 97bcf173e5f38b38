import { setCookie } from 'hono/cookie'
import { cors } from 'hono/cors'
import { jwt, sign } from 'hono/jwt'
import { logger } from 'hono/logger'
import { requestId } from 'hono/request-id'
import { timing } from 'hono/timing'

const secret = 'it-is-very-secret' // take yours from the environment

export function addMiddleware(app) {
  app.use(logger(), requestId(), timing(), cors())
  app.use('/ws', jwt({ secret, alg: 'HS256', cookie: 'token' }))

  app.post('/login', async (c) => {
    const { name } = await c.req.json() // check a password here
    const exp = Math.floor(Date.now() / 1000) + 3600
    setCookie(c, 'token', await sign({ sub: name, exp }, secret, 'HS256'), { httpOnly: true, sameSite: 'Strict' })
    return c.text('welcome')
  })
}
