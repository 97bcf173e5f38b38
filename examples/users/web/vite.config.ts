import { defineConfig } from "vite"

export default defineConfig({
	build: {
		// Names without a hash: a build changes the files that Git has, and adds none.
		rolldownOptions: { output: { entryFileNames: "[name].js", assetFileNames: "[name][extname]" } }
	},
	server: { proxy: { "/ws": { target: "ws://localhost:3000", ws: true } } }
})
