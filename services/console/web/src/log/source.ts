import { ProblemError } from '../api/problem';
import { send, type Query } from '../api/request';
import type { Line, Source } from './store';

/** Lines over HTTP. An action that is not known yet has printed nothing. */
export const httpSource: Source = {
  lines: (action, from, count, signal) => read(action, { from, count }, signal),
  count: async (action, signal) => (await read(action, { tail: 1 }, signal)).at(-1)?.n ?? 0,
};

async function read(action: string, query: Query, signal: AbortSignal): Promise<Line[]> {
  try {
    const response = await send(`actions/${action}/log`, { query: { format: 'ndjson', ...query }, signal });
    return (await response.text()).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return [];
    throw error;
  }
}
