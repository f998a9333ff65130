import type { Duplex } from 'node:stream';
import type { ActionSpec, LiveEnd, LiveEnding, LiveListener } from '@berth/contracts';
import { pause } from '../runner/pause.js';
import { HostError, messageOf } from '../transports/errors.js';
import type { ActionContext, ActionHandler } from './action.js';
import { ATTACH_MS, given, nobody, notAgain, pour, put, reasonOf, sentence } from './session.js';

type Spec = Extract<ActionSpec, { kind: 'forward' }>;

/** Connections at a time through one forward. */
const MOST_CONNECTIONS = 64;

/**
 * Connections to a port that the host can reach, for as long as somebody keeps the forward. Each is made when it is asked for,
 * so one that fails, or a host that was away for a while, ends none but that.
 */
export const forward: ActionHandler<Spec> = async (context) => {
  if (context.mayHaveStarted) return notAgain(context);
  const { cancel, detach } = context.signals;
  const keepers = new Set<LiveEnd>();
  let connections = 0;
  let leave: (ending: LiveEnding) => void = () => undefined;
  const left = new Promise<LiveEnding>((resolve) => (leave = resolve));
  let came: () => void = () => undefined;
  const kept = new Promise<void>((resolve) => (came = resolve));
  const keep = (end: LiveEnd): LiveListener => {
    keepers.add(end);
    came();
    end.open();
    return {
      data: () => undefined,
      ended(ending) {
        keepers.delete(end);
        if (keepers.size === 0) leave(ending);
      },
    };
  };
  const service = context.live((end, opening) => {
    if (opening.keeps) return keep(end);
    if (connections >= MOST_CONNECTIONS) {
      end.abort({ code: 'too-many', message: `${MOST_CONNECTIONS} connections are open through this forward, which is as many as there may be.` });
      return nobody;
    }
    connections++;
    return connection(context, end, () => connections--);
  });
  context.started();
  try {
    await Promise.race([kept, pause(ATTACH_MS, cancel, detach)]);
    if (keepers.size === 0) leave({ code: 'gone', message: `nobody kept the forward within ${ATTACH_MS / 1000} s` });
    const ending = await Promise.race([left, given(cancel), given(detach)]);
    if (detach.aborted) return undefined;
    if (cancel.aborted) return { kind: 'cancelled', result: {}, reason: reasonOf(cancel, 'it was cancelled') };
    return ending?.code === 'left' ? { kind: 'succeeded', result: {} } : { kind: 'failed', result: {}, code: 'client-gone', error: ending?.message ?? 'nobody kept it any more' };
  } finally {
    const why = detach.aborted ? reasonOf(detach, 'the gateway was stopped') : cancel.aborted ? reasonOf(cancel, 'it was cancelled') : 'nobody keeps the forward any more';
    service.stop({ code: 'interrupted', message: sentence(why) });
  }
};

/** One connection: made on the host, then bytes both ways until both sides have ended. */
function connection({ pool, host, spec }: ActionContext<Spec>, end: LiveEnd, over: () => void): LiveListener {
  let socket: Duplex | undefined;
  const made = async (): Promise<void> => {
    const transport = await pool.connect(host);
    socket = await transport.dial(spec.address, spec.port);
    let failure: Error | undefined;
    socket.on('error', (error) => (failure = error));
    const closed = new Promise<void>((resolve) => socket!.once('close', () => resolve()));
    if (end.ended) {
      socket.destroy();
      return;
    }
    end.open();
    await pour(socket, end, 'out');
    end.finish();
    await closed;
    if (failure) end.abort({ code: 'reset', message: sentence(`the connection broke: ${messageOf(failure)}`) });
    else end.close({ code: 'closed', message: 'The connection was closed.' });
  };
  made().catch((error: unknown) => end.abort({ code: error instanceof HostError ? error.code : 'broken', message: sentence(messageOf(error)) }));
  return {
    data: (_stream, bytes) => (socket ? put(socket, bytes) : undefined),
    eof: () => void socket?.end(),
    ended() {
      socket?.destroy();
      over();
    },
  };
}
