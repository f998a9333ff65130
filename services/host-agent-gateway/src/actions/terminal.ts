import type { ActionSpec, LiveEnd, LiveEnding, LiveListener, LiveOpening } from '@berth/contracts';
import type { End } from '../domain/action.js';
import { pause } from '../runner/pause.js';
import { shQuote } from '../runner/quote.js';
import { HostError } from '../transports/errors.js';
import type { Conversation, Transport } from '../transports/transport.js';
import type { ActionContext, ActionHandler } from './action.js';
import { makeFolder, markOf } from './run-command.js';
import { reach } from './run-script.js';
import { ATTACH_MS, given, nobody, notAgain, pour, put, reasonOf, sentence } from './session.js';

type Spec = Extract<ActionSpec, { kind: 'terminal' }>;

/** How long a shell has to end after it was told to hang up. */
const HANG_UP_MS = 2000;

/**
 * A shell, or a command, that somebody talks to. It begins when that one is there, and its last words are with them before its
 * end is told. It can't outlive this process: what was begun by another is over.
 */
export const terminal: ActionHandler<Spec> = async (context) => {
  if (context.mayHaveStarted) {
    if (!context.spec.tty) await context.runner.kill(context.host, context.id);
    return notAgain(context);
  }
  const { cancel, detach } = context.signals;
  const peer = new Peer();
  const service = context.live((end, opening) => peer.take(end, opening));
  try {
    const transport = await reach(context);
    if (!transport) return undefined;
    const folder = context.folder.startsWith('/') ? context.folder : await makeFolder(transport, context.folder);
    await Promise.race([peer.there, pause(ATTACH_MS, cancel, detach)]);
    if (detach.aborted) return undefined;
    if (cancel.aborted) return { kind: 'cancelled', result: {}, reason: reasonOf(cancel, 'it was cancelled') };
    if (!peer.end) return { kind: 'failed', result: {}, code: 'client-gone', error: `nobody came to the terminal within ${ATTACH_MS / 1000} s` };
    return await serve(context, transport, folder, peer, peer.end);
  } catch (error) {
    if (error instanceof HostError) service.stop({ code: error.code, message: sentence(error.message) });
    throw error;
  } finally {
    const why = detach.aborted ? reasonOf(detach, 'the gateway was stopped') : cancel.aborted ? reasonOf(cancel, 'it was cancelled') : 'the terminal ended';
    service.stop({ code: cancel.aborted || detach.aborted ? 'interrupted' : 'ended', message: sentence(why) });
  }
};

/** The one who is at the terminal. */
class Peer {
  end: LiveEnd | undefined;
  size: LiveOpening['size'];
  /** Resolves when there is one. */
  readonly there: Promise<void>;
  /** How it ended for them, and by whom. */
  readonly over: Promise<{ ending: LiveEnding; by: 'us' | 'them' }>;
  talk: Conversation | undefined;
  private came: () => void = () => undefined;
  private left: (how: { ending: LiveEnding; by: 'us' | 'them' }) => void = () => undefined;

  constructor() {
    this.there = new Promise((resolve) => (this.came = resolve));
    this.over = new Promise((resolve) => (this.left = resolve));
  }

  take(end: LiveEnd, opening: LiveOpening): LiveListener {
    if (this.end) {
      end.abort({ code: 'in-use', message: 'Somebody is at this terminal already: open another.' });
      return nobody;
    }
    this.end = end;
    this.size = opening.size;
    this.came();
    return {
      data: (_stream, bytes) => (this.talk ? put(this.talk.input, bytes) : undefined),
      eof: () => void this.talk?.input.end(),
      resized: (size) => this.talk?.resize(size),
      ended: (ending, by) => this.left({ ending, by }),
    };
  }
}

async function serve(context: ActionContext<Spec>, transport: Transport, folder: string, peer: Peer, end: LiveEnd): Promise<End | undefined> {
  const { spec, signals, host, runner, id } = context;
  const size = peer.size ?? { columns: spec.columns, rows: spec.rows };
  const talk = await transport.converse({ command: commandText(context, folder), ...(spec.tty && { terminal: { ...size, term: spec.term } }) });
  context.started();
  peer.talk = talk;
  end.open();
  void Promise.all([talk.ended, pour(talk.out, end, 'out'), pour(talk.err, end, 'err')]).then(([code]) => end.close(endingOf(code)));
  await Promise.race([peer.over, given(signals.cancel), given(signals.detach)]);
  if (signals.detach.aborted || signals.cancel.aborted) {
    end.abort({ code: 'interrupted', message: sentence(signals.cancel.aborted ? reasonOf(signals.cancel, 'it was cancelled') : reasonOf(signals.detach, 'the gateway was stopped')) });
    talk.hangUp();
    if (!signals.cancel.aborted) return undefined;
    // Also what it has put into the background: of what was ended on purpose nothing is left.
    await runner.kill(host, id);
    return { kind: 'cancelled', result: {}, reason: reasonOf(signals.cancel, 'it was cancelled') };
  }
  const { ending, by } = await peer.over;
  if (by === 'us' && ending.exitCode !== undefined) return { kind: 'succeeded', result: { exitCode: ending.exitCode } };
  if (by === 'us' && ending.code === 'lost') return { kind: 'lost', result: {}, error: 'the connection to its host was lost, and the terminal with it' };
  talk.hangUp();
  // Without a terminal nothing tells it to hang up.
  if (spec.tty) await Promise.race([talk.ended, pause(HANG_UP_MS, signals.detach)]);
  else await runner.kill(host, id);
  return { kind: 'failed', result: {}, code: 'client-gone', error: ending.message };
}

const endingOf = (code: number | undefined): LiveEnding =>
  code === undefined ? { code: 'lost', message: 'The connection to the host was lost, and the terminal with it: open another.' } : { code: 'exit', message: `It ended with exit code ${code}.`, exitCode: code };

/** Text for the login shell of the user, whichever that is: the folder, the marks, and then what was asked for. */
function commandText({ spec, lease, id }: ActionContext<Spec>, folder: string): string {
  const marks = Object.entries({ ...markOf(lease), BERTH_ACTION: id }).map(([name, value]) => `${name}=${shQuote(value)}; export ${name}`).join('; ');
  const what = spec.command === undefined ? 'exec "${SHELL:-/bin/sh}" -l' : `exec sh -c ${shQuote(spec.command)}`;
  return `exec sh -c ${shQuote(`cd -- ${shQuote(folder)} || exit 125; unset OLDPWD; ${marks}; ${what}`)}`;
}
