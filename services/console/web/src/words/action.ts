import type { ActionEvent, ActionSpec } from '@berth/contracts';
import { because, bytes, short } from './text';
import type { Words } from './words';

const firstLine = (text: string): string => {
  const line = text.trim().split('\n')[0] ?? '';
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
};

/** What is done on a host. */
function doing(spec: ActionSpec): string {
  if (spec.kind === 'run-command') return `run \`${firstLine(spec.command)}\``;
  const path = 'path' in spec && typeof spec.path === 'string' ? ` ${spec.path}` : '';
  return `${spec.kind.replaceAll('-', ' ')}${path}`;
}

type Result = Extract<ActionEvent, { type: 'ActionSucceeded' }>['data'];
function result(data: Result): string {
  const { exitCode, bytes: size } = data as { exitCode?: number; bytes?: number };
  return `${exitCode === undefined ? '' : `, exit code ${exitCode}`}${size === undefined ? '' : `, ${bytes(size)}`}`;
}

export const actionWords: Words<ActionEvent> = {
  ActionRequested: ({ lease, spec, token }) => `Asked to ${doing(spec)} under lease ${short(lease)}, token ${token}.`,
  ActionStarted: () => 'The host has begun.',
  CancelRequested: ({ reason }) => `It is to be ended${because(reason)}.`,
  ActionSucceeded: (data) => `Done${result(data)}.`,
  ActionFailed: ({ code, error, ...data }) => `Failed (${code})${result(data)}: ${error}.`,
  ActionLost: ({ error }) => `The host cannot say how it ended: ${error}.`,
  ActionCancelled: ({ reason }) => `Ended on purpose${because(reason)}; nothing of it runs any more.`,
};
