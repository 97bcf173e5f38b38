// What the servers for all runtimes have in common: signing in, and who may connect.

import { Hono } from "hono"
import { except } from "hono/combine"
import { deleteCookie, getCookie, setCookie } from "hono/cookie"
import { csrf } from "hono/csrf"
import { sign, verify } from "hono/jwt"
import { secureHeaders } from "hono/secure-headers"

const life = 30 * 24 * 3600 // seconds
const policy = {
	defaultSrc: ["'none'"], scriptSrc: ["'self'"], styleSrc: ["'self'"], imgSrc: ["'self'"], connectSrc: ["'self'"],
	baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"]
}

/** Returns who sends a request, as in a header: what Authorization says, or the cookie of the page. Undefined is nobody. */
async function userOf(c, key) {
	const token = c.req.header("authorization")?.match(/^Bearer (.+)$/)?.[1] ?? getCookie(c, "chat")
	if (!token) return undefined
	try {
		return encodeURIComponent((await verify(token, key, "HS256")).sub)
	} catch {
		return undefined
	}
}

/**
 * @param {string} key signs the users' tokens
 * @param connect is what answers /chat/:room. It gets the context with the header x-user, of which it is sure.
 */
export function chatApp(key, connect) {
	const app = new Hono()
	app.use(csrf(), except("/chat/*", secureHeaders({ contentSecurityPolicy: policy }))) // an upgrade has no page

	const visitor = (user) => ({ user, rooms: ["lobby", "help", "random"] })
	app.get("/session", async (c) => {
		const user = await userOf(c, key)
		return user === undefined ? c.text("not signed in, or no longer", 401) : c.json(visitor(decodeURIComponent(user)))
	})
	app.post("/session", async (c) => {
		const name = await c.req.json().then(({ name }) => String(name).trim()).catch(() => "")
		if (!/^[\p{L}\p{N}\p{P}\p{S} ]{1,32}$/u.test(name)) return c.text("the name of a user has 1 to 32 printable characters", 400)
		const token = await sign({ sub: name, exp: Math.floor(Date.now() / 1000) + life }, key, "HS256")
		const secure = new URL(c.req.url).protocol === "https:"
		setCookie(c, "chat", token, { httpOnly: true, sameSite: "Strict", path: "/", maxAge: life, secure })
		return c.json(visitor(name))
	})
	app.delete("/session", (c) => {
		deleteCookie(c, "chat", { path: "/" })
		return c.body(null, 204)
	})
	app.get("/chat/:room", async (c, next) => {
		const user = await userOf(c, key)
		if (user === undefined) return c.text("not signed in, or no longer", 401)
		c.set("user", user)
		return connect(c, next)
	})
	return app
}

/** What Go is told of a request: the header x-user is ours, whatever the client has sent. */
export function withUser(c) {
	const header = { ...c.req.header(), "x-user": c.get("user") }
	return { req: { url: c.req.url, param: () => c.req.param(), header: () => header } }
}

/** A key for this start of the server, unless the environment has one. Users sign in again after a restart. */
export function keyFrom(env) {
	return env.CHAT_KEY ?? Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
