// Calls the API proxy by the protocol of kkrpc 2, whose errors have names and fields, and prints what the generated functions
// make of the errors.
import { compact } from "./compact-sockets.mjs"
import { type API, isGetPostsError, isGetUserError } from "./api.gen.ts"

const connection = await compact("json").connect(process.argv[2]!, {})
const api: API = connection.api

for (const id of [404, 500, 501, 502, 503, 504, 505]) {
	try {
		await api.getUser(id)
		console.log("no error")
	} catch (error) {
		if (!isGetUserError(error)) throw error
		switch (error.name) {
			case "NotFoundError":
			case "UnavailableError":
				console.log(error.name, error.path)
				break
			case "UpstreamError":
				console.log(error.name, error.path, error.status)
				break
			case "TimeoutError":
				console.log(error.name, error.path, error.milliseconds)
				break
			case "ResponseError":
				console.log(error.name, error.path, error.reason)
		}
	}
}
try {
	await api.getPosts({ limit: 101 })
} catch (error) {
	if (isGetPostsError(error) && error.name === "QueryError") console.log(error.name, error.field, error.most, isGetUserError(error))
}
connection.close()
