import { stepSchemas } from '@berth/contracts';
import { failed, passed, type Looked, type OwnKind, type StepContext } from './kind.js';

/** What was reported on a step makes its verdict; it may have come before the step began. */
export function byMessage({ build, index }: StepContext, words: { failed: string }): Looked {
  const message = build.messages[index];
  if (!message || message.type === 'work') return { due: [] };
  const { by, text, outputs } = message;
  if (message.type === 'pass') return passed({ outputs: { ...outputs, ...(by !== undefined && { by }) } });
  return failed(`${words.failed}${by === undefined ? '' : ` by ${by}`}${text === undefined ? '' : `: ${text}`}`);
}

/** `uses: wait-for-message`: an outside system reports whether it passed. */
export const waitForMessage: OwnKind = {
  on: 'nothing',
  schema: stepSchemas['wait-for-message'],
  written: '`uses: wait-for-message` with `from` (who is to report, for people), or `with: {}`',
  look: (context) => byMessage(context, { failed: 'was reported as failed' }),
};
