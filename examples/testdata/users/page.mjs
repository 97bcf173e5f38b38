// Shows the page of the users example in two tabs of Chromium and uses it as a person would. It prints what the tabs show.
// usage: page.mjs CHROMIUM URL [FOLDER FOR SCREENSHOTS]
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const [chromium, url, folder] = process.argv.slice(2)

/** Chromium, spoken to by its pipe, with which it ends. */
class Browser {
	#calls = new Map()
	#events = []
	#last = 0
	#pipe

	constructor(profile) {
		const flags = ["--headless=new", `--user-data-dir=${profile}`, "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
			"--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"]
		const child = spawn(chromium, [...flags, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] })
		this.ended = new Promise((resolve) => child.once("exit", resolve))
		this.#pipe = child.stdio[3]
		let text = ""
		child.stdio[4].setEncoding("utf8").on("data", (data) => {
			const messages = (text + data).split("\0")
			text = messages.pop()
			for (const message of messages) this.#received(JSON.parse(message))
		})
	}

	#received({ id, method, params, sessionId, result, error }) {
		if (id === undefined) return this.#events.forEach((event) => event(method, params, sessionId))
		const { resolve, reject } = this.#calls.get(id)
		if (error) reject(new Error(error.message))
		else resolve(result)
	}

	on(event) {
		this.#events.push(event)
	}

	call(method, params = {}, sessionId) {
		const id = ++this.#last
		this.#pipe.write(JSON.stringify({ id, method, params, sessionId }) + "\0")
		return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }))
	}

	async close() {
		await this.call("Browser.close")
		await this.ended
	}
}

/** A tab that shows the page. */
class Tab {
	static async open(browser, url) {
		const { targetId } = await browser.call("Target.createTarget", { url: "about:blank", newWindow: true })
		const { sessionId } = await browser.call("Target.attachToTarget", { targetId, flatten: true })
		const tab = new Tab()
		tab.call = (method, params) => browser.call(method, params, sessionId)
		await tab.call("Runtime.enable")
		await tab.call("Page.enable")
		await tab.call("Emulation.setFocusEmulationEnabled", { enabled: true })
		browser.on((method, { exceptionDetails }, session) => {
			if (method === "Runtime.exceptionThrown" && session === sessionId) fail(exceptionDetails)
		})
		await tab.size(1000, 700)
		const loaded = new Promise((resolve) => browser.on((method, _, session) => method === "Page.loadEventFired" && session === sessionId && resolve()))
		const { errorText } = await tab.call("Page.navigate", { url })
		if (errorText) throw new Error(`${url}: ${errorText}`)
		await loaded
		return tab
	}

	/** The value of an expression, once it is true. */
	async until(expression) {
		const observe = `new Promise((resolve, reject) => {
			const look = () => {
				const value = (${expression})
				if (!value) return
				watch.disconnect()
				resolve(value)
			}
			const watch = new MutationObserver(look)
			watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
			look()
			setTimeout(() => reject(new Error(${JSON.stringify(expression)} + " is not true of\\n" + document.body.innerText)), 20000)
		})`
		const { result, exceptionDetails } = await this.call("Runtime.evaluate", { expression: observe, awaitPromise: true, returnByValue: true })
		if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
		return result.value
	}

	/** Waits until the page shows a text. */
	shows(text) {
		return this.until(`document.body.innerText.includes(${JSON.stringify(text)})`)
	}

	names() {
		return this.until(`[...document.querySelectorAll(".user .name")].map((name) => name.textContent).join(", ")`)
	}

	/** Clicks what has this accessible name. */
	async click(name) {
		const { x, y } = await this.until(`(() => {
			const found = [...document.querySelectorAll("button:enabled")].find((e) => (e.ariaLabel || e.textContent) === ${JSON.stringify(name)} && e.checkVisibility())
			if (!found) return
			found.scrollIntoView({ block: "center", behavior: "instant" })
			const { x, y, width, height } = found.getBoundingClientRect()
			return { x: x + width / 2, y: y + height / 2 }
		})()`)
		for (const type of ["mousePressed", "mouseReleased"]) await this.call("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 })
	}

	async key(key, code, text) {
		await this.call("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", key, code: key, windowsVirtualKeyCode: code, text })
		await this.call("Input.dispatchKeyEvent", { type: "keyUp", key, code: key, windowsVirtualKeyCode: code })
	}

	tab() {
		return this.key("Tab", 9)
	}

	enter() {
		return this.key("Enter", 13, "\r")
	}

	/** Types in place of what the field with the focus has. */
	async type(text) {
		await this.until(`document.activeElement.select?.() ?? true`)
		if (text === "") return this.key("Delete", 46)
		await this.call("Input.insertText", { text })
	}

	/** What stands beside the fields. */
	errors() {
		return this.until(`[...document.querySelectorAll("[aria-invalid=true]")].map((field) => field.name + ": " + document.getElementById(field.getAttribute("aria-describedby")).textContent).join(" ")`)
	}

	size(width, height, mobile = false) {
		return this.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile })
	}

	async shoot(name) {
		if (!folder) return
		const { data } = await this.call("Page.captureScreenshot", { format: "png" })
		writeFileSync(join(folder, name + ".png"), Buffer.from(data, "base64"))
	}
}

/** A way to the server that can be cut. */
class Cable {
	#sockets = new Set()
	#server = createServer((near) => {
		const far = connect(new URL(url).port, "localhost")
		for (const [socket, other] of [[near, far], [far, near]]) {
			this.#sockets.add(socket)
			socket.on("error", () => {}).on("close", () => {
				this.#sockets.delete(socket)
				other.destroy()
			})
			socket.pipe(other)
		}
	})

	plug(port = 0) {
		return new Promise((resolve) => this.#server.listen(port, "localhost", () => resolve((this.port = this.#server.address().port))))
	}

	cut() {
		for (const socket of this.#sockets) socket.destroy()
		return new Promise((resolve) => this.#server.close(resolve))
	}
}

function fail(what) {
	console.log("failed:", what)
	process.exitCode = 1
}

async function run(browser) {
	const cable = new Cable()
	const [ada, eve] = [await Tab.open(browser, url), await Tab.open(browser, `http://localhost:${await cable.plug()}/`)]
	for (const tab of [ada, eve]) await tab.shows("Katherine Johnson")
	console.log("both show:", await ada.names())
	await ada.shoot("list")

	await ada.click("Edit Ada Lovelace")
	await ada.type("Ada King")
	await ada.enter()
	await eve.shows("Ada King")
	console.log("a change reaches the other page:", await eve.names())

	await ada.click("Add user")
	await ada.enter()
	console.log("errors of the schema:", await ada.errors())
	await ada.type("Bob")
	await ada.tab()
	await ada.type("at home")
	await ada.enter()
	console.log("errors of the schema:", await ada.errors())
	await ada.shoot("field-error")
	await ada.type("GRACE@example.com")
	await ada.enter()
	await ada.until(`document.querySelector("[aria-invalid=true]")`)
	console.log("errors of the server:", await ada.errors())
	await ada.type("bob@example.com")
	await ada.enter()
	await eve.shows("bob@example.com")
	console.log("added:", await eve.names())

	await eve.click("Edit Bob")
	await eve.type("Robert")
	await ada.click("Edit Bob")
	await ada.tab()
	await ada.type("bob@example.org")
	await ada.enter()
	await eve.until(`document.querySelector("form [name=email]").value === "bob@example.org"`)
	console.log("another field follows:", await eve.until(`document.querySelector("form .problem").innerText`))
	await ada.click("Edit Bob")
	await ada.type("Bobby")
	await ada.enter()
	await eve.shows("has changed this too")
	console.log("the same field:", (await eve.until(`document.querySelector(".conflict").innerText`)).replaceAll("\n", " "))
	await eve.shoot("conflict")
	await eve.size(390, 844, true)
	await eve.shoot("conflict-phone")
	await eve.size(1000, 700)
	await eve.click("Keep mine")
	await ada.shows("Robert")
	console.log("kept:", await ada.names())

	await eve.click("Edit Robert")
	await ada.click("Delete Robert")
	await ada.click("Really delete Robert")
	await eve.shows("Somebody else has deleted this user.")
	console.log("deleted while it is edited:", await eve.until(`document.querySelector(".save").disabled`))
	await eve.click("Cancel")
	await eve.until(`!document.querySelector("#users").innerText.includes("Robert")`)
	console.log("then:", await eve.names())

	await eve.click("Edit Grace Hopper")
	await eve.type("Grace M. Hopper")
	await cable.cut()
	await eve.shows("Connection lost")
	await eve.enter()
	await eve.shows("There is no connection to the server.")
	await eve.shoot("lost")
	await ada.click("Edit Grace Hopper")
	await ada.type("Admiral Hopper")
	await ada.enter()
	await ada.shows("Admiral Hopper")
	await ada.until(`!document.querySelector("#users form")`) // which moves what is below, and the focus
	await ada.click("Delete Katherine Johnson")
	await ada.click("Really delete Katherine Johnson")
	await ada.until(`!document.querySelector("#users").innerText.includes("Katherine")`)
	await cable.plug(cable.port)
	await eve.shows("Live")
	await eve.shows("has changed this too")
	await eve.click("Take theirs")
	await eve.click("Save")
	await eve.until(`!document.querySelector("form")`)
	console.log("connected again:", await eve.names())

	await ada.click("Edit Ada King")
	await ada.click("Add user")
	const { nodes } = await ada.call("Accessibility.getFullAXTree")
	const controls = nodes.filter(({ role }) => ["button", "textbox", "combobox"].includes(role?.value))
	console.log("controls without a name:", controls.filter(({ name }) => !name?.value).length, "of", controls.length > 10 ? "many" : controls.length)
	for (const [name, width, height, mobile] of [["forms", 1000, 700, false], ["forms-phone", 390, 844, true]]) {
		await ada.size(width, height, mobile)
		const wide = await ada.until(`String(document.documentElement.scrollWidth - innerWidth)`)
		console.log(`${name}: ${wide} pixels too wide`)
		for (const scheme of ["light", "dark"]) {
			await ada.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] })
			await ada.shoot(`${name}-${scheme}`)
		}
	}
	await ada.click("Cancel")
	await ada.click("Cancel")
	await ada.until(`!document.querySelector("form")`)
	await ada.shoot("phone-dark")
	await cable.cut()
}

const profile = mkdtempSync(join(tmpdir(), "users-page-"))
const browser = new Browser(profile)
try {
	await run(browser)
} catch (error) {
	fail(error)
} finally {
	await browser.close()
	rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
	process.exit() // the cable may still be plugged in
}
