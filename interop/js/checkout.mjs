// The versions of kkrpc that npm does not have are run from checkouts of its repository, which environment variables name.
import process from "node:process"
import { pathToFileURL } from "node:url"

const variables = { "0.7.0": "KKRPC_V07", "2.1.0": "KKRPC_V2" }

/** checkout returns what imports a file of a version by its path in the package. */
export function checkout(version) {
	const root = process.env[variables[version]]
	if (!root) throw new Error(`kkrpc ${version} is run from a checkout: ${variables[version]} has to name one`)
	return (path) => import(pathToFileURL(`${root}/packages/kkrpc/${path}`).href)
}
