// Everything over the one socket, without a cache.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { live } from './life.js';
import type { ReportChangedSubscription } from './gql/graphql.js';
import { ReportChanged } from './operations.js';
import { throughPages } from './paging.js';

await live((_server, _token, socket) => {
  async function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const results = socket.iterate<any>({ query: print(document), variables: variables as Record<string, unknown> });
    for await (const { data, errors } of results) {
      if (!data) throw new Error(JSON.stringify(errors));
      return data;
    }
    throw new Error('There is no answer');
  }

  return {
    ask,
    pages: (first) => throughPages(ask, first),
    follow(after, show) {
      socket.subscribe<ReportChangedSubscription>({ query: print(ReportChanged), variables: { after } }, {
        next({ data, errors }) {
          if (!data) throw new Error(JSON.stringify(errors));
          show(data.reportChanged);
        },
        error: (error) => { throw error; },
        complete: () => {},
      });
    },
  };
});
