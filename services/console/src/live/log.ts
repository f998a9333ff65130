import type { NatsConnection } from 'nats';
import type { AnyRecorded, BuildEvent } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import { actionEnded, foldAction, type ActionRow } from '../views/action.js';
import type { Hub } from './hub.js';
import { readOutput, type Chunk, type OutputStream, type Totals } from './output.js';

/** What is known of an action that was never begun. */
const NOTHING: Totals = { stdoutBytes: null, stderrBytes: null };
const buildEnds = new Set<BuildEvent['type']>(['BuildPassed', 'BuildFailed', 'BuildAborted', 'BuildErrored']);
const stepEnds = new Set<BuildEvent['type']>([...buildEnds, 'StepStarted', 'StepFinished', 'BuildRetried']);

/** What actions and builds have printed and print. */
export class Logs {
  constructor(
    private readonly connection: NatsConnection,
    private readonly store: EventStore,
    private readonly hub: Hub,
  ) {}

  /** Output of one action; with `follow` until it has ended and every byte was handed over. */
  async *action(id: string, options: { follow: boolean; stream?: OutputStream | undefined }, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    yield* bytes(readOutput(this.connection, id, signal, options.follow ? this.endOf(id, signal).then(totalsOf) : undefined), options.stream);
  }

  /** Output of all steps of a build, one after the other. */
  async *build(id: string, options: { follow: boolean }, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const commits = options.follow ? this.hub.watch('build', id, signal) : ((await this.store.load('build', id)) as AnyRecorded[]);
    for await (const { commit } of commits) {
      for (const event of commit.events as BuildEvent[]) {
        if (event.type === 'StepStarted') {
          const { action } = event.data;
          yield* bytes(readOutput(this.connection, action, signal, options.follow ? this.endOfStep(id, action, signal) : undefined));
        }
        if (options.follow && buildEnds.has(event.type)) return;
      }
    }
  }

  /**
   * The action once it has ended.
   * @throws when `signal` says stop first
   */
  async endOf(action: string, signal: AbortSignal): Promise<ActionRow> {
    let row: ActionRow | undefined;
    for await (const recorded of this.hub.watch('action', action, signal)) {
      row = foldAction(row, recorded);
      if (row && actionEnded(row)) return row;
    }
    throw new Error(`nobody waits for action ${action} any more`);
  }

  /** The end of a step's action. One that was refused never begins: then the build's own word for the end of the step counts. */
  private async endOfStep(build: string, action: string, signal: AbortSignal): Promise<Totals> {
    const settled = new AbortController();
    const either = AbortSignal.any([signal, settled.signal]);
    const byBuild = async (): Promise<Totals> => {
      let begun = false;
      for await (const { commit } of this.hub.watch('build', build, either)) {
        for (const event of commit.events as BuildEvent[]) {
          if (begun && stepEnds.has(event.type)) {
            const known = await this.store.load('action', action);
            return known.length === 0 ? NOTHING : totalsOf(await this.endOf(action, either));
          }
          begun ||= event.type === 'StepStarted' && event.data.action === action;
        }
      }
      throw new Error(`nobody waits for build ${build} any more`);
    };
    const ends = [this.endOf(action, either).then(totalsOf), byBuild()];
    try {
      return await Promise.race(ends);
    } finally {
      settled.abort();
      void Promise.allSettled(ends); // the slower one ends by our word, not by an error of its own
    }
  }
}

const totalsOf = ({ stdoutBytes, stderrBytes }: ActionRow): Totals => ({ stdoutBytes, stderrBytes });

async function* bytes(chunks: AsyncIterable<Chunk>, only?: OutputStream): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) if (!only || chunk.stream === only) yield chunk.bytes;
}
