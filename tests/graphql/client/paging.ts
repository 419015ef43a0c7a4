import type { Api } from './life.js';
import { Reports } from './operations.js';

/** Go through all pages by their cursors. */
export async function throughPages(ask: Api['ask'], first: number): ReturnType<Api['pages']> {
  let { reports } = await ask(Reports, { first });
  const { position } = reports;
  const pages = [reports.edges.map(({ node }) => node.id)];
  while (reports.pageInfo.hasNextPage) {
    ({ reports } = await ask(Reports, { first, after: reports.pageInfo.endCursor }));
    pages.push(reports.edges.map(({ node }) => node.id));
  }
  return { position, pages };
}
