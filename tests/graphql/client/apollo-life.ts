import { openApollo, take } from './apollo.js';
import { live } from './life.js';
import { ReportChanged, Reports } from './operations.js';

await live((server, token, socket) => {
  const apollo = openApollo(server, token, socket);
  const shown = () =>
    apollo.readQuery({ query: Reports })?.reports.edges.map(({ node }) => node.id) ?? [];

  return {
    shown,
    async ask(document, variables) {
      const isMutation = document.definitions.some((each) => 'operation' in each && each.operation === 'mutation');
      const { data } = isMutation
        ? await apollo.mutate({ mutation: document as any, variables: variables as any })
        : await apollo.query({ query: document as any, variables: variables as any });
      return data as any;
    },
    async pages(first) {
      const list = apollo.watchQuery({ query: Reports, variables: { first } });
      const pages: string[][] = [];
      list.subscribe(() => {});
      const { data } = await apollo.query({ query: Reports, variables: { first } });
      if (!data) throw new Error('There is no list');
      pages.push(shown());
      for (let { pageInfo } = data.reports; pageInfo.hasNextPage; ) {
        const known = shown().length;
        const page = await list.fetchMore({ variables: { after: pageInfo.endCursor } });
        if (!page.data) throw new Error('There is no page');
        ({ pageInfo } = page.data.reports);
        pages.push(shown().slice(known));
      }
      return { position: data.reports.position, pages };
    },
    follow(after, show) {
      apollo.subscribe({ query: ReportChanged, variables: { after } }).subscribe({
        next({ data, error }) {
          if (!data) throw error ?? new Error('There is no change');
          take(apollo.cache, data.reportChanged);
          show(data.reportChanged);
        },
        error: (error) => { throw error; },
      });
    },
  };
});
