import { platformOf, type Command } from '../platforms/platform.js';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import { checkedId } from './quote.js';

/** Why a process tree was ended on purpose; kept on the host, so that it is known after a restart too. */
export type EndReason = 'cancelled' | 'timeout';

/**
 * What the host knows of an action.
 * - `unknown`  never started here, or forgotten
 * - `starting` its folder is there and its supervisor has not reported yet
 * - `never`    settled that it did not start and will not
 * - `running`, `exited`
 * - `lost`     it was started, nothing of it lives, and no exit code was kept (killed with -9, reboot)
 */
export type ActionState =
  | { state: 'unknown' }
  | { state: 'starting' }
  | { state: 'never'; ended?: EndReason }
  | { state: 'running'; ended?: EndReason }
  | ({ state: 'exited'; ended?: EndReason } & Ended)
  | { state: 'lost'; ended?: EndReason };

/** A command that has ended by itself. */
export interface Ended {
  code: number;
  /** It has told outputs. */
  outputs?: true;
}

/** Pushed by the host the moment a command ends; the flags say whether it wrote anything at all. */
export interface Exit {
  state: ActionState;
  stdout: boolean;
  stderr: boolean;
  /** Its code could not be written down, so the host had no room for all that it printed. */
  full?: true;
}

/** The runner on one host, spoken to over one open shell. Every call can reject with HostError `connection-lost` or `host-fault`. */
export interface HostShell {
  /** Starts the command unless its id was started before; `new` means that it was not. */
  start(command: Command): Promise<ActionState | { state: 'new' }>;
  look(id: string): Promise<ActionState>;
  /** For an action that stays `starting`: settles that it never starts, unless it did meanwhile. */
  giveUpStart(id: string): Promise<ActionState>;
  /** TERM, after `graceMs` KILL, to everything that belongs to the action; answers when none of it is left. @throws HostError `still-running` */
  kill(id: string, reason: EndReason, graceMs: number): Promise<ActionState>;
  /** TERM, after `graceMs` KILL, to every process that has `NAME=value` in its environment; answers when there is none. @throws HostError `still-running` */
  reap(mark: string, graceMs: number): Promise<void>;
  /** Removes the folders of ended actions. @throws HostError `still-running` when one has not ended */
  forget(ids: readonly string[]): Promise<void>;
  /** Ids of all actions that have a folder. */
  list(): Promise<string[]>;
  /** Only commands started over this very shell report here. Returns what ends the listening. */
  onExit(id: string, listener: (exit: Exit) => void): () => void;
}

const ANSWER_MS = 30_000;
/** Windows compiles the runner the first time that it sees it. */
const LOAD_MS = 60_000;
const shells = new WeakMap<Transport, Promise<HostShell>>();

/** The host shell of a connection: one each, opened on first use and again when it ended. */
export function hostShellOf(transport: Transport): Promise<HostShell> {
  const known = shells.get(transport);
  if (known) return known;
  const opened = openHostShell(transport, { onClose: () => shells.delete(transport) });
  shells.set(transport, opened);
  opened.catch(() => shells.delete(transport));
  return opened;
}

/** Opens a shell of its own. Specs give another `command`, and a `preamble` sent before the runner that hides tools of the host. */
export async function openHostShell(
  transport: Transport,
  options: { command?: string; preamble?: string; onClose?: () => void } = {},
): Promise<HostShell> {
  const host = transport.host.id;
  const platform = platformOf(transport.host);
  const channel = await transport.openShell(options.command ?? platform.shell);
  const waiting = new Map<string, { resolve(words: string[]): void; reject(error: HostError): void; timer: NodeJS.Timeout }>();
  const exits = new Map<string, Set<(exit: Exit) => void>>();
  let next = 1;
  let ended: HostError | undefined;

  const end = (error: HostError): void => {
    if (ended) return;
    ended = error;
    options.onClose?.();
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    waiting.clear();
  };

  // Anything else on stdout is noise of the user's start files.
  channel.onLine((raw) => {
    // Windows begins a stream with a byte order mark and ends lines with CR LF wherever a program does not see to it.
    const line = raw.replace(/^\ufeff|\r$/g, '');
    const [kind, key = '', ...words] = line.split(' ');
    if (kind === 'r') {
      const request = waiting.get(key);
      if (!request) return;
      waiting.delete(key);
      clearTimeout(request.timer);
      request.resolve(words);
    } else if (kind === 'x') {
      const [mark, code, outputs, stdout, stderr, kept] = words;
      const state = stateOf(['exited', mark ?? '', code ?? '', outputs ?? '']);
      for (const listener of exits.get(key) ?? []) listener({ state, stdout: stdout !== '0', stderr: stderr !== '0', ...(kept === '0' && { full: true }) });
    }
  });
  channel.onClose((diagnosis) =>
    end(new HostError('connection-lost', `The shell on host ${host} ended${diagnosis ? `: ${diagnosis}` : ''}.`)),
  );
  transport.onClose((error) => end(error ?? new HostError('connection-lost', `The connection to host ${host} was closed here.`)));

  const ask = (name: string, args: readonly string[], answerMs = ANSWER_MS): Promise<string[]> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      const line = platform.line(name, String(next), args);
      const timer = setTimeout(() => {
        end(new HostError('connection-lost', `The shell on host ${host} gave no answer within ${answerMs / 1_000} s.`));
        channel.close();
      }, answerMs);
      waiting.set(String(next), { resolve, reject, timer });
      next += 1;
      channel.write(`${line}\n`);
    });
  const fault = (what: string): HostError =>
    new HostError('host-fault', `Host ${host} could not ${what} in ${transport.folder}/actions; see that the disk there has room (and inodes) left and that ${transport.host.user || 'the user'} may write there.`);
  const state = async (id: string, name: string): Promise<ActionState> => stateOf(await ask(name, [checkedId(id)]));

  if (options.preamble) channel.write(`${options.preamble}\n`);
  channel.write(platform.program(transport.folder));
  const loaded = await ask('berth_load', [platform.native(`${transport.folder}/actions`)], LOAD_MS);
  if (loaded[0] !== 'ok') {
    channel.close();
    throw fault('make the folder for actions');
  }

  return {
    start: async (command) => {
      // Answered by another process on the host, so usually there before the line below is read; when it fails, the runner does it.
      const id = checkedId(command.id);
      const words = platform.start(command, host);
      const made = transport.files.mkdir(`${transport.folder}/actions/${id}`).catch(() => undefined);
      const answer = await ask('berth_run', words);
      // Not left behind: a late mkdir would bring back the folder of an action that was forgotten meanwhile.
      await made;
      if (answer[0] === 'no-shell') throw new HostError('shell', platform.noShell(host, command.shell));
      if (answer[0] === 'fault') throw fault(`write the files of action ${command.id}`);
      return answer[0] === 'new' ? { state: 'new' } : stateOf(answer);
    },
    look: (id) => state(id, 'berth_look'),
    giveUpStart: (id) => state(id, 'berth_never'),
    kill: async (id, reason, graceMs) => {
      const ticks = String(Math.ceil(graceMs / 100));
      const [verdict, ...rest] = await ask('berth_kill', [checkedId(id), reason, ticks], 2 * graceMs + 4 * ANSWER_MS);
      if (verdict === 'gone') return stateOf(rest);
      throw new HostError('still-running', `Processes of action ${id} on host ${host} do not end, not even on KILL: ${rest.join(' ')}.`);
    },
    reap: async (mark, graceMs) => {
      const ticks = String(Math.ceil(graceMs / 100));
      const [verdict, ...pids] = await ask('berth_reap', [mark, ticks], 2 * graceMs + 4 * ANSWER_MS);
      if (verdict !== 'gone') throw new HostError('still-running', `Processes with ${mark} on host ${host} do not end, not even on KILL: ${pids.join(' ')}.`);
    },
    forget: async (ids) => {
      if (ids.length === 0) return;
      const [verdict, id] = await ask('berth_forget', ids.map(checkedId), 4 * ANSWER_MS);
      if (verdict === 'busy') throw new HostError('still-running', `Action ${id} on host ${host} has not ended, so its folder stays.`);
      if (verdict !== 'ok') throw fault(`remove the folder of action ${id}`);
    },
    list: async () => {
      const [verdict, ...ids] = await ask('berth_list', []);
      if (verdict !== 'ok') throw fault('list the actions');
      return ids;
    },
    onExit: (id, listener) => {
      const listeners = exits.get(id) ?? new Set();
      exits.set(id, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) exits.delete(id);
      };
    },
  };
}

function stateOf(words: readonly string[]): ActionState {
  const [state, mark, code, outputs] = words;
  const ended = mark === 'cancelled' || mark === 'timeout' ? { ended: mark as EndReason } : {};
  switch (state) {
    case 'unknown':
    case 'starting':
      return { state };
    case 'never':
    case 'running':
    case 'lost':
      return { state, ...ended };
    case 'exited':
      return { state, code: Number(code), ...(outputs === '1' && { outputs: true }), ...ended };
    default:
      throw new HostError('host-fault', `The runner answered '${words.join(' ')}', which it never should.`);
  }
}
