import { stepSchemas } from '@berth/contracts';
import { passed, withOf, type OwnKind } from './kind.js';

/** `uses: wait-for-previous-builds`: passed once no older build of the plan and ref is under way. */
export const waitForPreviousBuilds: OwnKind = {
  on: 'nothing',
  schema: stepSchemas['wait-for-previous-builds'],
  written: '`uses: wait-for-previous-builds` with `plan` and `anyRef`, or `with: {}`',
  look(context) {
    const { plan = context.build.about.plan, anyRef = false } = withOf<'wait-for-previous-builds'>(context);
    // Only older ones are waited for, so two builds never wait for each other.
    const before = context.view.beforeOfPlan(context.id, plan, anyRef ? undefined : (context.build.plan.workingCopy.ref ?? ''));
    return before ? { due: [] } : passed();
  },
};
