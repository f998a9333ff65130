import { currentTrace, traceOf, within } from '@berth/runtime';
import { median, timed, type Row } from './measure.js';

const CALLS = 1_000_000;
const ROUNDS = 9;

/** What traces cost while they are off: all that a commit passes on its way from a command to what follows, beside the same without it. */
export async function tracing(): Promise<Row[]> {
  let seen = 0;
  const work = (id: string) => void (seen += id.length);
  const without = async () => {
    for (let i = 0; i < CALLS; i++) work('7f8c1d66');
    return Promise.resolve();
  };
  const through = async () => {
    for (let i = 0; i < CALLS; i++) {
      if (currentTrace() !== undefined || traceOf('7f8c1d66') !== undefined) throw new Error('traces are on: this measures them off');
      within(undefined, () => work('7f8c1d66'), true);
    }
    return Promise.resolve();
  };
  const ours: number[] = [];
  const floor: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    floor.push(await timed(without));
    ours.push(await timed(through));
  }
  const each = (times: number[]) => (median(times) / CALLS) * 1e6;
  const more = each(ours) - each(floor);
  return [{ what: 'traces that are off, for each commit', ours: `${each(ours).toFixed(1)} ns`, floor: `${each(floor).toFixed(1)} ns`, ratio: `+${more.toFixed(1)} ns`, aim: '+100 ns', met: more <= 100 && seen > 0 }];
}
