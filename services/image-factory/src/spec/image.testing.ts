import { derivedId, imageTemplate, type ImageEvent, type ImageStatus, type ImageTarget, type MadeImage } from '@berth/contracts';
import { expect } from 'vitest';
import { decide, type ImageCommand } from '../domain/decide.js';
import { buildOf } from '../domain/building.js';
import { evolve, noImage, type Image } from '../domain/image.js';

/** Ids of versions of specs, by number. */
export const id = (number: number): string => derivedId('9c7c4f4e-2f10-4b52-9f2b-6f2d4f6f0a11', `version ${number}`);
export const made: MadeImage = { object: { name: 'disk.raw', object: 'builds/1/disk.raw', bytes: 3, sha256: 'abc' } };
export const template = imageTemplate.parse({ name: 'web', os: { name: 'debian', version: '12' }, targets: { raw: {}, oci: {} } });
export const NOW = '2030-01-01T00:00:00Z';

export const saved = (revision = 1, more: object = {}): ImageEvent => ({ type: 'ImageSaved', data: { revision, source: 'name: web', format: 'yaml', template, ...more } });
export const channel = (name = 'latest', managed = true, test?: string): ImageEvent => ({ type: 'ChannelSaved', data: { channel: name, managed, ...(test !== undefined && { test }) } });
/** An image with its channel. */
export const begun: readonly ImageEvent[] = [saved(), channel()];

export const requested = (number: number, targets: readonly ImageTarget[] = ['raw'], revision = 1): ImageEvent[] => [
  { type: 'VersionRequested', data: { version: id(number), number, revision, targets: [...targets], labels: {}, cause: 'asked' } },
  ...targets.map((target): ImageEvent => started(number, target)),
];
export const started = (number: number, target: ImageTarget = 'raw', attempt = 1): ImageEvent => ({ type: 'TargetStarted', data: { version: id(number), target, attempt, build: buildOf(id(number), target, attempt) } });
export const completed = (number: number, target: ImageTarget = 'raw'): ImageEvent => ({ type: 'TargetCompleted', data: { version: id(number), target, made } });
export const failed = (number: number, target: ImageTarget = 'raw', attempt = 1, error = 'no space'): ImageEvent => ({ type: 'TargetFailed', data: { version: id(number), target, attempt, error } });
export const ended = (number: number, status: 'COMPLETE' | 'PARTIAL' | 'FAILED' = 'COMPLETE'): ImageEvent => ({ type: 'VersionEnded', data: { version: id(number), status } });
export const assigned = (number: number | null, previous: number | null, by: 'assign' | 'managed' | 'rollback' | 'revoke' | 'delete', name = 'latest', reason?: string): ImageEvent => ({
  type: 'ChannelAssigned',
  data: { channel: name, version: number === null ? null : id(number), previous: previous === null ? null : id(previous), by, ...(reason !== undefined && { reason }) },
});
/** A version that was built, with nothing that follows from it. */
export const built = (number: number, targets: readonly ImageTarget[] = ['raw']): ImageEvent[] => [...requested(number, targets), ...targets.map((target) => completed(number, target)), ended(number)];
/** The same, and `latest` points at it. */
export const complete = (number: number, previous: number | null = null, targets: readonly ImageTarget[] = ['raw']): ImageEvent[] => [...built(number, targets), assigned(number, previous, 'managed')];
export const pushing = (number: number, account = 'here', attempt = 1, target: ImageTarget = 'raw'): ImageEvent => ({ type: 'PushStarted', data: { version: id(number), account, target, provider: 'cloud', attempt } });
export const pushed = (number: number, account = 'here'): ImageEvent[] => [pushing(number, account), { type: 'PushCompleted', data: { version: id(number), account, id: `made-${account}` } }];
export const revoked = (number: number, more: object = {}): ImageEvent[] => [
  { type: 'VersionRevoked', data: { version: id(number), at: NOW, reason: 'broken', cascade: true, ...more } },
  { type: 'RevocationDue', data: { version: id(number) } },
];
export const marked = (number: number, as: 'active' | 'deprecated' | 'disabled'): ImageEvent => ({ type: 'VersionMarked', data: { version: id(number), as, reason: 'said so' } });
export const leaving = (number: number, what: { account?: string; target?: ImageTarget } = {}): ImageEvent => ({ type: 'DeletionStarted', data: { version: id(number), ...what } });
export const gone = (number: number, what: { account?: string; target?: ImageTarget } = {}, manual: string[] = []): ImageEvent => ({ type: 'Deleted', data: { version: id(number), ...what, manual } });
export const stuck = (number: number, what: { account?: string; target?: ImageTarget } = {}, error = 'in use'): ImageEvent => ({ type: 'DeletionFailed', data: { version: id(number), ...what, error } });

export const fold = (events: readonly ImageEvent[]): Image => events.reduce(evolve, noImage);

export function given(...events: readonly ImageEvent[]) {
  const state = fold(events);
  return {
    state,
    statusOf: (number: number, target: ImageTarget = 'raw'): ImageStatus | undefined => state.versions.get(id(number))?.targets.get(target)?.status,
    when: (command: ImageCommand) => {
      const decision = decide(command, state);
      return {
        decision,
        then: (...expected: readonly ImageEvent[]) => {
          expect(decision).toEqual(expected);
          // What is decided can be folded.
          expected.reduce(evolve, state);
        },
        thenRejected: (code: string, field?: string) => expect(decision).toMatchObject({ accepted: false, code, ...(field !== undefined && { errors: [{ field: `data.${field}` }] }) }),
      };
    },
  };
}
