import { describe, expect, test } from 'vitest';
import { blueprintKind, blueprintSpec } from '@berth/contracts';
import { blueprintExamples } from './blueprint-examples.js';
import { readBlueprints } from './blueprint-file.js';
import { Failure } from './failure.js';

/** The refusal of a text. */
function refusal(text: string): Failure {
  try {
    readBlueprints(text, 'pool.yaml');
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('examples', () => {
  test.each(blueprintKind.options)('%s is accepted as it is', (kind) => {
    const [read, ...others] = readBlueprints(blueprintExamples[kind], 'example');
    expect(others).toEqual([]);
    expect(blueprintSpec.parse(read!.spec)).toMatchObject({ kind, name: read!.name });
  });

  test.each(blueprintKind.options)('%s: what is commented out is accepted too, where it is a field of its own', (kind) => {
    const text = blueprintExamples[kind];
    for (const [line] of text.matchAll(/^# [a-zA-Z]+: .*$/gm)) {
      const field = /^# ([a-zA-Z]+):/.exec(line)![1]!;
      if (field === 'userData') continue; // its text goes on in the lines below
      const without = text.split('\n').filter((one) => !one.startsWith(`${field}:`)).join('\n');
      expect([line, readBlueprints(`${without}\n${line.slice(2)}\n`, 'example')]).toEqual([line, [expect.objectContaining({ spec: expect.objectContaining({ [field]: expect.anything() }) })]]);
    }
  });
});

describe('a file of blueprints', () => {
  test('several documents, in YAML or JSON; what is empty is left out', () => {
    const read = readBlueprints('---\nname: a\nkind: local\n---\n# nothing\n---\n{"name": "b", "kind": "working-copy", "keep": 3}\n---\n', 'pool.yaml');
    expect(read.map(({ name, spec, place }) => [name, spec, place])).toEqual([
      ['a', { name: 'a', kind: 'local' }, 'pool.yaml, document 1 (a)'],
      ['b', { name: 'b', kind: 'working-copy', keep: 3 }, 'pool.yaml, document 3 (b)'],
    ]);
  });

  test('every error says in which document and field, and where that stands', () => {
    const { message, errors } = refusal('name: a\nkind: local\nslots: 0\n---\nname: b\nkind: ec2\nregion: here\ntypes:\n  - { type: c7i.large }\n  - type: big\n---\nkind: local\n---\nname: c\nkind: boat\n');
    expect(errors.slice(0, 1)).toEqual([{ field: 'pool.yaml, document 1 (a): slots', message: expect.stringMatching(/^line 3, column 1: /) }]);
    expect(errors).toContainEqual({ field: 'pool.yaml, document 2 (b): region', message: 'line 7, column 1: use a region such as eu-central-1' });
    expect(errors).toContainEqual({ field: 'pool.yaml, document 2 (b): types[1].type', message: 'line 10, column 5: use an instance type such as c7i.large' });
    expect(errors).toContainEqual({ field: 'pool.yaml, document 2 (b): credential', message: expect.stringMatching(/^line 5, column 1: is required/) });
    expect(errors).toContainEqual({ field: 'pool.yaml, document 3: name', message: expect.stringMatching(/^line 12, column 1: is required/) });
    expect(errors.at(-1)).toEqual({ field: 'pool.yaml, document 4 (c): kind', message: expect.stringMatching(/^line 15, column 1: /) });
    expect(message).toMatch(/^Nothing is saved\. pool\.yaml, document 1 \(a\): slots: line 3, column 1: .* \(and more: \d+ errors in all\)\.$/);
  });

  test.each([
    ['not YAML', 'name: [', /document 1: line 1, column 8/],
    ['a repeated key', 'name: a\nkind: local\nkind: ec2\n', /document 1: line 3/],
    ['an alias without an anchor', 'name: *x\nkind: local\n', /document 1/],
    ['a list', '- name: a\n', /document 1/],
    ['a word', 'hello', /document 1/],
    ['nothing', '\n---\n', /holds no blueprint/],
    ['the same name twice', 'name: a\nkind: local\n---\nname: a\nkind: working-copy\n', /document 2 \(a\): name: line 4, column 1: a is in document 1 already/],
    ['an unknown key', 'name: a\nkind: local\nslot: 2\n', /unknown key "slot"/],
  ])('%s', (_name, text, expected) => {
    const { code, message } = refusal(text);
    expect([code, message]).toEqual(['invalid-data', expect.stringMatching(expected)]);
  });
});
