import { stepSchemas } from '@berth/contracts';
import { passed, withOf, type OwnKind } from './kind.js';

/** `uses: sleep`: passed after so long. */
export const sleep: OwnKind = {
  on: 'nothing',
  schema: stepSchemas.sleep,
  written: '`uses: sleep` with `for`, such as 30s',
  look(context) {
    const at = context.since + withOf<'sleep'>(context).for;
    return context.now >= at ? passed() : { due: [{ to: 'clock', at }] };
  },
};
