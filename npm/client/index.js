export { connect } from "./connect.js"
export { ConnectionClosed, SessionLost } from "./errors.js"
