// GraphiQL as the person who is logged in: queries by fetch with the CSRF token, subscriptions by WebSocket.

const element = document.getElementById('graphiql');
const url = new URL(element.dataset.url, location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

function csrfToken() {
  const cookie = (name) => document.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`));
  // Over https its name has a prefix, once each process of the server knows it.
  return (cookie('__Host-csrftoken') ?? cookie('csrftoken') ?? '').split('=')[1] ?? '';
}

// A server that does not answer is found out: no operation waits for it without an end.
const ANSWER_WITHIN = 10000;
let silence = 0;
let socket = null;
const wsClient = graphqlWs.createClient({
  url: socketUrl.href,
  connectionAckWaitTimeout: ANSWER_WITHIN,
  keepAlive: ANSWER_WITHIN,
  on: {
    opened: (opened) => { socket = opened; },
    closed: () => clearTimeout(silence),
    ping: (received) => {
      if (!received) silence = setTimeout(() => socket.close(4408, 'No answer'), ANSWER_WITHIN);
    },
    pong: (received) => { if (received) clearTimeout(silence); },
  },
});

const ask = GraphiQL.createFetcher({
  url: url.href,
  wsClient,
  fetch: (address, init) => fetch(address, { ...init, headers: { ...init.headers, 'X-CSRFToken': csrfToken() } }),
});

function isSubscription({ operationName }, options) {
  const operations = (options?.documentAST?.definitions ?? []).filter((each) => each.kind === 'OperationDefinition');
  const asked = operations.find((each) => !operationName || each.name?.value === operationName);
  return asked?.operation === 'subscription';
}

// A subscription may be silent for long: say that it runs, and what it waits for.
async function* announced(messages) {
  yield { data: null, extensions: { waiting: element.dataset.waiting } };
  yield* messages;
}

async function fetcher(parameters, options) {
  const answer = await ask(parameters, options);
  return isSubscription(parameters, options) ? announced(answer) : answer;
}

element.textContent = '';
ReactDOM.createRoot(element).render(React.createElement(GraphiQL, { fetcher, shouldPersistHeaders: false }));
