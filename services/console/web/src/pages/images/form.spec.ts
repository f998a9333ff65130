import { describe, expect, test } from 'vitest';
import { commands, rebuild, retention } from '@berth/contracts';
import { durationOf, inputOf, nothingSaid, saidOf } from './form';

describe('what is said of an image besides its template', () => {
  test('is nothing, when nothing stands in the form', () => expect(inputOf('name: web', nothingSaid)).toEqual({ source: 'name: web', unsaid: 'kept', environment: null, retention: null, rebuild: null }));

  test('is all that there is, but for targets that the form has no place for', () => {
    expect(inputOf('name: web', { ...nothingSaid, maxAge: '30d', onParent: true })).toEqual({ source: 'name: web', unsaid: 'kept', environment: null, retention: { keep: 10, maxAge: '30d' }, rebuild: { schedule: null, onParent: true } });
  });

  test('comes back into the form as it was typed', () => {
    const said = { environment: 'prod', keep: '5', maxAge: '30d', schedule: '0 3 * * 1', onParent: true };
    const read = commands['image-factory'].SaveImage.parse(inputOf('name: web', said));
    expect(read).toMatchObject({ environment: 'prod', retention: { keep: 5, maxAge: 30 * 86_400_000 }, rebuild: { schedule: '0 3 * * 1', onParent: true } });
    expect(saidOf({ environment: read.environment!, retention: retention.parse(inputOf('name: web', said).retention), rebuild: rebuild.parse(read.rebuild) })).toEqual(said);
  });

  test('is refused by the service, not here, when it is no number', () => {
    const { error } = commands['image-factory'].SaveImage.safeParse(inputOf('name: web', { ...nothingSaid, keep: 'many' }));
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['retention.keep']);
  });

  test.each([[90_000, '1m30s'], [86_400_000, '1d'], [5_400_000, '1h30m']])('%i ms are %s', (ms, text) => expect(durationOf(ms)).toBe(text));
});
