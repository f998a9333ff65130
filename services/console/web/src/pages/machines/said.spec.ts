import { describe, expect, test } from 'vitest';
import { changesOf, empty, type Form } from './said';

const was: Form = { ...empty, name: 'fable', address: '10.0.0.7', user: 'berth', credential: 'agent', folder: '/srv', attributes: 'pool=fable\nfloor=3', owners: 'ada' };
const changes = (of: Partial<Form>) => changesOf({ ...was, ...of }, was);

describe('what is sent of a form of a machine', () => {
  test('is nothing when nothing is otherwise', () => {
    expect(changes({})).toEqual({});
    expect(changes({ attributes: ' floor=3  pool=fable ' })).toEqual({});
  });

  test('is what was touched, and nothing else', () => {
    expect(changes({ slots: '2' })).toEqual({ slots: 2 });
    expect(changes({ slots: 'none', port: '2222' })).toEqual({ slots: 'none', port: 2222 });
    expect(changes({ folder: '' })).toEqual({ folder: null });
    expect(changes({ projects: 'widgets\n\n gears' })).toEqual({ allow: { projects: ['widgets', 'gears'] } });
  });

  test('is of the attributes those that are otherwise, so that those which others add meanwhile stay', () => {
    expect(changes({ attributes: 'pool=fable gpu=fast' })).toEqual({ attributes: { floor: null, gpu: 'fast' } });
    expect(changes({ attributes: 'pool=tale floor=3' })).toEqual({ attributes: { pool: 'tale' } });
  });

  test('may hold attributes that the form could not have written, as long as they are not touched', () => {
    const odd = { ...was, attributes: 'note=two words' };
    expect(changesOf({ ...odd, slots: '2' }, odd)).toEqual({ slots: 2 });
    expect(() => changesOf({ ...odd, attributes: 'note=two words pool=x' }, odd)).toThrow('no attribute');
  });
});
