import { stepSchemas, unreachable, type StepWith } from '@berth/contracts';
import type { EndingBuild, Extra, LiveBuild } from '../build/build.js';
import type { Request } from '../due.js';
import { ending } from '../ends.js';
import { after, holder } from '../requests.js';
import type { View } from '../view.js';
import { failed, passed, type OwnKind } from './kind.js';

/** What a step of this kind asks for. It stays the build's until the build is over. */
export function extraRequest(_id: string, build: LiveBuild | EndingBuild, { lease, step }: Extra, view: Pick<View, 'lease'>): Request {
  const { type, attributes = {}, blueprints = [], on } = build.plan.steps[step]!.with as StepWith<'lease'>;
  const place = on === undefined ? undefined : Object.values(build.places as Record<string, { host: string; hostLease: string }>).findLast(({ host }) => host === on);
  return {
    to: 'lease', type: 'RequestLease', id: lease, after: place ? after(view.lease(place.hostLease)) : 0,
    data: { type, ...holder(build.about), attributes, blueprints, ...(place && { host: { lease: place.hostLease } }), wait: 'served', ...(build.about.queueTimeout !== undefined && { waitAtMost: build.about.queueTimeout }) },
  };
}

/** `uses: lease`: a further resource, such as a service; the step has passed once it can be used. */
export const lease: OwnKind = {
  on: 'nothing',
  schema: stepSchemas.lease,
  written: '`uses: lease` with `type`, and `attributes`, `blueprints`, `on`',
  look({ id, build, index, action, step, view }) {
    const known = view.lease(action);
    if (!known) {
      const { on } = step.with as StepWith<'lease'>;
      if (on !== undefined && !build.places[on]?.path) return failed(`host ${on} is not there: a step on it has to come before`);
      return { due: [extraRequest(id, build, { lease: action, step: index }, view)] };
    }
    switch (known.status) {
      case 'pending':
      case 'acquired':
        return { due: [] };
      case 'active': {
        const { resource, uri, port, path } = known;
        return passed({ outputs: { lease: action, resource, ...(uri !== undefined && { uri }), ...(port !== undefined && { port: String(port) }), ...(path !== undefined && { path }) } });
      }
      case 'refused':
        return failed(`the lease was refused: ${known.message}`);
      case 'ending':
      case 'destroyed':
        return failed(ending('the lease', known.end));
      default:
        return unreachable(known);
    }
  },
};
