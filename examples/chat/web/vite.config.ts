import { defineConfig } from "vite"

// `npm run dev` serves the page while you change it, in front of `go run ./examples/chat`, which takes it for its own page.
const server = { target: "http://localhost:3000", changeOrigin: false }

export default defineConfig({
	build: { assetsInlineLimit: 0, modulePreload: false }, // the policy of the server allows no inline files
	server: { proxy: { "/session": server, "/chat": { ...server, ws: true } } }
})
