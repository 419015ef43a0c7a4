// Reads more than the server sends ahead without hearing from its reader.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  keepAlive: 100,
  on: { pong: (received) => received && console.log(JSON.stringify(['pong', null])) },
});

let received = 0;
for await (const { data } of client.iterate({ query: 'subscription { flood(size: 100000) }' })) {
  received += data.flood.length;
  if (received >= 5_000_000) break;
}
console.log(JSON.stringify(['received', received]));
client.subscribe({ query: 'subscription { silence }' }, { next() {}, error() {}, complete() {} });
