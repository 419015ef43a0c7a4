// The client graphql-ws as an application uses it: what happens is printed, one line of JSON each.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const say = (event, detail = null) => console.log(JSON.stringify([event, detail]));

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${token}` },
  lazy: false,
  keepAlive: 200,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
  onNonLazyError: () => {},
  on: {
    connected: () => say('connected'),
    closed: (event) => say('closed', event.code),
    pong: () => (ponged ||= (say('pong'), true)),
  },
});
let ponged = false;

async function all(payload) {
  const results = [];
  try {
    for await (const result of client.iterate(payload)) results.push(result);
  } catch (errors) {
    return { results, errors };
  }
  return { results };
}

say('query', await all({ query: 'query ($text: String!) { echo(text: $text) }', variables: { text: 'Zürich' } }));
say('mutation', await all({ query: 'mutation { rename(name: "Bob") { name } }' }));
say('counts', await Promise.all([2, 3].map((to) => all({ query: `subscription { count(to: ${to}) }` }))));
say('invalid', await all({ query: '{ emial }' }));
say('midway', await all({ query: 'subscription { refusesMidway }' }));

let seen = 0;
for await (const _ of client.iterate({ query: 'subscription { ticks }' })) if (++seen === 3) break;
say('returned', seen);

let afresh = true;
client.on('connected', () => (afresh = true));
client.subscribe(
  { query: 'subscription { ticks }' },
  {
    next: () => {
      if (afresh) say('ticking');
      afresh = false;
    },
    error: (error) => say('error', error.code ?? String(error)),
    complete: () => say('complete'),
  },
);
