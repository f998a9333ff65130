import { stepSchemas } from '@berth/contracts';
import { stepIdOf } from '../build/build.js';
import { render } from '../language/template.js';
import { failed, passed, withOf, type OwnKind } from './kind.js';

/** `uses: call-plan`: a build of another plan; passed when that has passed. It ends with the one that called it. */
export const callPlan: OwnKind = {
  on: 'nothing',
  schema: stepSchemas['call-plan'],
  written: '`uses: call-plan` with `plan`, and `variables`, `ref`',
  look(context) {
    const { plan, variables = {}, ref } = withOf<'call-plan'>(context);
    const { id, build, index, action, scope, view } = context;
    const reply = view.reply(action);
    if (reply?.kind === 'failed') return failed(reply.error);
    const child = view.build(action);
    if (!child || child.status === 'none') {
      const { initiator, project, priority } = build.about;
      const given = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, render(value, scope)]));
      return {
        due: [{
          to: 'builds', type: 'RequestBuild', id: action,
          data: { plan, variables: given, initiator, ...(project !== undefined && { project }), ...(priority !== undefined && { priority }), ...(ref !== undefined && { ref: render(ref, scope) }), parent: { build: id, step: stepIdOf(build.plan, index) } },
        }],
      };
    }
    const outputs = { build: action };
    switch (child.status) {
      case 'pending':
      case 'preparing':
      case 'building':
        return { due: [] };
      case 'passed':
        return passed({ outputs });
      case 'failed':
      case 'error':
        return { verdict: { outcome: 'failed', error: `build ${action} of plan ${plan} ${child.status === 'failed' ? 'failed' : 'could not be carried out'}: ${child.error}`, outputs } };
      case 'aborted':
        return { verdict: { outcome: 'failed', error: `build ${action} of plan ${plan} was aborted: ${child.reason}`, outputs } };
    }
  },
};
