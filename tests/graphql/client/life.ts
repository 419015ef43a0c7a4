// What an application does, whatever its client: what happens is printed, one line of JSON each.
import { createInterface } from 'node:readline';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { Client } from 'graphql-ws';
import { WholeReport } from './documents.js';
import type { ReportChangedSubscription } from './gql/graphql.js';
import { logIn } from './login.js';
import { Save, Start, Submit } from './operations.js';
import { openSocket } from './socket.js';

export type Change = ReportChangedSubscription['reportChanged'];

/** What each of the clients has its own way of doing. */
export interface Api {
  /** Execute a query or a mutation; raises what the server refuses. */
  ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;
  /** All reports, page by page: the position, and the ids of each page. */
  pages(first: number): Promise<{ position: string; pages: string[][] }>;
  /** Subscribe to what comes after a position. */
  follow(after: string, take: (change: Change) => void): void;
  /** The ids in the list that is shown, where the client keeps one. */
  shown?(): string[];
}

export function say(event: string, detail: unknown = null): void {
  console.log(JSON.stringify([event, detail]));
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export async function live(open: (server: string, token: string, socket: Client) => Api): Promise<void> {
  const [server = '', email = '', password = ''] = process.argv.slice(2);
  const token = await logIn(server, email, password);
  const socket = openSocket(server, token, {
    // The test says when it is time to connect again.
    retryWait: async () => void (await lines.next()),
    // Operations that follow one another share the connection.
    lazyCloseTimeout: 60_000,
  });
  socket.on('connected', () => say('connected'));
  socket.on('closed', (event) => say('closed', (event as { code: number }).code));
  const api = open(server, token, socket);

  const { position, pages } = await api.pages(2);
  say('pages', pages);
  say('whole', (await api.ask(WholeReport, { id: pages[0]?.[0] ?? '' })).report);
  api.follow(position, (change) =>
    say('change', { id: change.reportId, state: change.report?.state, rating: change.report?.rating, shown: api.shown?.() }),
  );

  const started = await api.ask(Start, { questionnaire: 'quick-check' });
  const submission = started.startSubmission?.submission;
  if (!submission) throw new Error('It could not be started');
  let unanswered = submission.openQuestions.map(({ key }) => key);
  const save = (question: string, choice: string, expectedVersion: number) =>
    api.ask(Save, {
      input: { submission: submission.id, answers: [{ question, value: { choice }, note: '', expectedVersion }] },
    });
  const saved = await save('QC-01', 'F', 0);
  say('saved', saved.saveAnswers?.submission?.answers.map(({ key, version }) => [key, version]));
  const conflicting = await save('QC-01', 'N', 0);
  say('conflict', conflicting.saveAnswers?.conflicts.map(({ key, current }) => [key, current.version, current.label]));
  const early = await api.ask(Submit, { submission: submission.id });
  say('early', early.submitSubmission?.errors.map(({ code }) => code));
  unanswered = unanswered.filter((key) => key !== 'QC-01');
  while (unanswered.length > 0) {
    const answers = unanswered.map((question) => ({ question, value: { dontKnow: true }, note: '', expectedVersion: 0 }));
    const more = await api.ask(Save, { input: { submission: submission.id, answers } });
    unanswered = more.saveAnswers?.submission?.openQuestions.map(({ key }) => key) ?? [];
  }
  const submitted = await api.ask(Submit, { submission: submission.id });
  say('submitted', submitted.submitSubmission?.submission?.state);
}
