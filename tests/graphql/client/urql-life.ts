import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { live } from './life.js';
import { ReportChanged } from './operations.js';
import { throughPages } from './paging.js';
import { openUrql } from './urql.js';

await live((server, token, socket) => {
  const urql = openUrql(server, token, socket);

  async function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const isMutation = document.definitions.some((each) => 'operation' in each && each.operation === 'mutation');
    const execute = isMutation ? urql.mutation.bind(urql) : urql.query.bind(urql);
    const { data, error } = await execute(document as TypedDocumentNode<Data, any>, variables).toPromise();
    if (!data) throw error ?? new Error('There is no answer');
    return data;
  }

  return {
    ask,
    pages: (first) => throughPages(ask, first),
    follow(after, show) {
      urql.subscription(ReportChanged, { after }).subscribe(({ data, error }) => {
        if (!data) throw error ?? new Error('There is no change');
        show(data.reportChanged);
      });
    },
  };
});
