import { stepSchemas } from '@berth/contracts';
import type { OwnKind } from './kind.js';
import { byMessage } from './wait-for-message.js';

/** `uses: wait-for-approval`: a person decides. */
export const waitForApproval: OwnKind = {
  on: 'nothing',
  schema: stepSchemas['wait-for-approval'],
  written: '`uses: wait-for-approval` with `message` and `by` (who may decide), or `with: {}`',
  look: (context) => byMessage(context, { failed: 'was refused' }),
};
