import { RPCChannel } from "kkrpc";
import superjson from "superjson";
import { WebSocket } from "ws";

const name: string = process.argv[2];
const when = superjson.parse<Date>(superjson.stringify(new Date(0)));
console.log(`hello ${name} ${when.toISOString()} ${typeof RPCChannel} ${typeof WebSocket}`);
process.exit(0);
