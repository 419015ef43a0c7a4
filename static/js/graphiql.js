// GraphiQL as the person who is logged in: queries by fetch with the CSRF token, subscriptions by WebSocket.

const element = document.getElementById('graphiql');
const url = new URL(element.dataset.url, location.href);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

function csrfToken() {
  const cookie = document.cookie.split('; ').find((entry) => entry.startsWith('csrftoken='));
  return cookie ? cookie.slice('csrftoken='.length) : '';
}

const fetcher = GraphiQL.createFetcher({
  url: url.href,
  wsClient: graphqlWs.createClient({ url: socketUrl.href }),
  fetch: (address, init) => fetch(address, { ...init, headers: { ...init.headers, 'X-CSRFToken': csrfToken() } }),
});

element.textContent = '';
ReactDOM.createRoot(element).render(React.createElement(GraphiQL, { fetcher, shouldPersistHeaders: false }));
