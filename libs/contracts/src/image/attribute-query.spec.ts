import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributeQuery, neededBy, objectAttributes, QueryFault, type Needed, type ObjectFacts } from './attribute-query.js';

const facts: ObjectFacts = {
  image: 'web', number: 3, target: 'raw', kind: 'image', os: { name: 'debian', version: '12', arch: 'x86_64' }, bytes: 2 ** 31, use: 'active', revoked: false, labels: { team: 'web', tier: '1' }, attributes: { sbom: 'yes', note: `it's "so" \\`, kernel: '6.1.90' },
};
const attributes = objectAttributes(facts);

describe('a query of attributes', () => {
  const rows: [query: string, holds: boolean][] = [
    ['arch == "x86_64"', true], [`arch == 'x86_64'`, true], ['arch != "x86_64"', false], ['arch == "aarch64"', false],
    ['os.version >= 12', true], ['os.version > 12', false], ['os.version <= 12', true], ['os.version < 12', false], ['os.version<12.1', true], ['os.version >= "12"', true],
    ['kernel >= 6.1.9', true], ['kernel > 6.2', false], ['kernel == 6.1.90', true], ['kernel == "6.1"', false],
    ['bytes == 2GiB', true], ['bytes == 2 GiB', true], ['bytes > 2GB', true], ['bytes == "2GiB"', false], ['bytes < -1', false],
    ['version == 3', true], ['version == 3.0', true], ['version == "3.0"', false], ['target == "raw"', true], ['kind != "sbom"', true],
    ['revoked == false', true], ['revoked == true', false], ['status == "active"', true], ['image == "web"', true],
    ['label.team == "web"', true], ['label.team == "db"', false], ['!(label.team == "web")', false], ['!label.team == "db"', true], ['!!has(sbom)', true],
    ['has(sbom)', true], ['has(nothing)', false], ['has(constructor)', false], ['constructor == "x"', false], ['has( note )', true],
    // What is not there is unequal to everything, and neither less nor greater.
    ['nothing == "x"', false], ['nothing != "x"', true], ['nothing < 1', false], ['nothing >= 1', false], ['os.name >= 1', false],
    // ! binds closest, then &&, then ||.
    ['has(nothing) && has(nothing) || has(sbom)', true], ['has(sbom) || has(nothing) && has(nothing)', true], ['(has(sbom) || has(nothing)) && has(nothing)', false], ['!has(nothing) && has(sbom)', true],
    ['arch == "x86_64" && os.version >= 12 || !(label.team == \'web\') && has(sbom)', true],
    [String.raw`note == 'it\'s "so" \\'`, true], [String.raw`note == "it's \"so\" \\"`, true],
    ['  has(sbom)\n&&\thas(arch)  ', true], ['has == "x"', false],
  ];
  test.each(rows)('%s: %s', (query, holds) => expect(attributeQuery(query)(attributes)).toBe(holds));

  test.each([
    ['', 1, 'a condition is missing: write one such as arch == "x86_64"'],
    ['arch', 5, 'arch is not compared with anything: write arch == VALUE, or has(arch)'],
    ['arch = "x"', 6, '"=" alone means nothing: use =='],
    ['has(a) & has(b)', 8, '"&" alone means nothing: use &&'],
    ['has(a) | has(b)', 8, '"|" alone means nothing: use ||'],
    ['arch == x86_64', 9, 'x86_64 is compared with, and is no value: put texts in quotes'],
    ['arch == ', 9, 'a value is missing: write a text in quotes, a number, a size or a version'],
    ['arch == "x', 9, 'the text has no end: close it with "'],
    [String.raw`arch == "\x"`, 10, 'a backslash goes before a quote or a backslash: write it twice to mean itself'],
    ['(has(a)', 8, 'the "(" at column 1 is open: close it with ")"'],
    ['has(a))', 7, 'nothing is open here: leave out the ")", or open it before'],
    ['has(a) has(b)', 8, 'two conditions stand side by side: put && or || between them'],
    ['(has(a) has(b))', 9, 'two conditions stand side by side: put && or || between them'],
    ['has()', 5, 'has() wants the name of an attribute: write it such as has(sbom)'],
    ['has(a', 6, 'has(a is open: close it with ")"'],
    ['has(a) &&', 10, 'a condition is missing: write one such as arch == "x86_64"'],
    ['"a" == "b"', 1, 'a condition begins with the name of an attribute: write it such as arch == "x86_64"'],
    ['os.name < "debian"', 11, '"debian" has no order: use a number, a size such as 2GiB, or a version such as 2.30.1'],
    ['a == 1;', 7, '";" means nothing here: put texts in quotes'],
    [`${'('.repeat(33)}has(a)${')'.repeat(33)}`, 33, 'it is nested more than 32 deep: make it flatter'],
    [`${'!'.repeat(33)}has(a)`, 33, 'it is nested more than 32 deep: make it flatter'],
    ['a'.repeat(2049), 2049, 'the query is longer than 2048 characters: make it shorter'],
  ])('%s is refused', (query, column, what) => {
    const faultOf = (): QueryFault | undefined => {
      try {
        attributeQuery(query);
        return undefined;
      } catch (error) {
        return error as QueryFault;
      }
    };
    const fault = faultOf();
    expect([fault instanceof QueryFault, fault?.column, fault?.message]).toEqual([true, column, `column ${column}: ${what}`]);
  });

  test('what somebody gave an object never stands in for a fact', () => {
    const given = { image: 'other', version: '9', revoked: 'true', 'label.team': 'db', arch: 'z80', extra: 'x' };
    expect(objectAttributes({ ...facts, attributes: given })).toEqual({
      extra: 'x', image: 'web', version: '3', target: 'raw', kind: 'image', 'os.name': 'debian', 'os.version': '12', arch: 'x86_64', bytes: '2147483648', status: 'active', revoked: 'false', 'label.team': 'web', 'label.tier': '1',
    });
    expect(objectAttributes({ ...facts, os: {}, attributes: {}, labels: {} })).not.toHaveProperty('arch');
  });
});

describe('what a query needs', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name): Needed => ({ name, value: 'x', is: 'text' }));
  test.each<[string, Needed | undefined]>([
    ['a == "x"', a], ['((a == "x"))', a], ['a == 3', { name: 'a', value: '3', is: 'number' }], ['a == true', { name: 'a', value: 'true', is: 'text' }],
    ['a != "x"', undefined], ['a >= 3', undefined], ['has(a)', undefined], ['!(a == "x")', undefined], ['!!(a == "x")', undefined],
    ['a == "x" && has(b)', { all: [a!] }], ['a == "x" && b == "x" && c > 1', { all: [a!, b!] }], ['has(a) && has(b)', undefined],
    ['a == "x" || b == "x"', { any: [a!, b!] }], ['a == "x" || has(b)', undefined],
    ['a == "x" && (b == "x" || c == "x") && !has(d)', { all: [a!, { any: [b!, c!] }] }], ['a == "x" && c > 1 || b == "x"', { any: [{ all: [a!] }, b!] }],
  ])('%s', (query, needs) => expect(neededBy(query)).toEqual(needs));
  test('is refused where the query is', () => expect(() => neededBy('a = 3')).toThrow(QueryFault));
});

/** A query as a tree, beside what it must be, written down with as many parentheses as there can be. */
interface Tree {
  text: string;
  holds: (attributes: Readonly<Record<string, string>>) => boolean;
}
const names = ['a', 'b.c', 'label.team'] as const;
const leaf: fc.Arbitrary<Tree> = fc.oneof(
  fc.constantFrom(...names).map((name): Tree => ({ text: `has(${name})`, holds: (of) => Object.hasOwn(of, name) })),
  fc.tuple(fc.constantFrom(...names), fc.string({ maxLength: 6 })).map(([name, value]): Tree => ({ text: `${name} == "${value.replace(/["\\]/g, '\\$&')}"`, holds: (of) => of[name] === value })),
  fc.tuple(fc.constantFrom(...names), fc.constantFrom('<', '<=', '>', '>='), fc.integer({ min: -5, max: 5 })).map(([name, operator, than]): Tree => ({
    text: `${name}${operator}${than}`,
    holds: (of) => of[name] !== undefined && /^-?\d+$/.test(of[name]) && { '<': Number(of[name]) < than, '<=': Number(of[name]) <= than, '>': Number(of[name]) > than, '>=': Number(of[name]) >= than }[operator],
  })),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true }, leaf,
    tie('tree').map((one): Tree => ({ text: `!(${one.text})`, holds: (of) => !one.holds(of) })),
    fc.tuple(tie('tree'), fc.constantFrom('&&', '||'), tie('tree')).map(([a, sign, b]): Tree => ({ text: `(${a.text})${sign}(${b.text})`, holds: (of) => (sign === '&&' ? a.holds(of) && b.holds(of) : a.holds(of) || b.holds(of)) })),
  ),
}));
const given = fc.record(Object.fromEntries(names.map((name) => [name, fc.oneof(fc.integer({ min: -6, max: 6 }).map(String), fc.string({ maxLength: 3 }))])), { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;

describe('laws of queries', () => {
  test('a query says of any attributes what its parts say of them', () => {
    fc.assert(fc.property(tree, given, ({ text, holds }, of) => {
      fc.pre(text.length <= 2048);
      expect(attributeQuery(text)(of)).toBe(holds(of));
    }));
  });

  test('a query never holds for attributes that have not what it needs', () => {
    const equal = fc.tuple(fc.constantFrom(...names), fc.constantFrom('"x"', '"1"', '1', 'true', '"true"')).map(([name, value]) => `${name} == ${value}`);
    const query = fc.array(fc.array(fc.oneof(equal, equal.map((text) => `!(${text})`), leaf.map(({ text }) => text)), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }).map((groups) => groups.map((group) => `(${group.join(' && ')})`).join(' || '));
    const common = fc.record(Object.fromEntries(names.map((name) => [name, fc.constantFrom('x', '1', '1.0', 'true')])), { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
    const has = (needs: Needed, of: Record<string, string>): boolean => ('all' in needs ? needs.all.every((one) => has(one, of)) : 'any' in needs ? needs.any.some((one) => has(one, of)) : needs.is === 'number' ? of[needs.name] !== undefined : of[needs.name] === needs.value);
    fc.assert(fc.property(query, common, (text, of) => {
      const needs = neededBy(text);
      if (needs && attributeQuery(text)(of)) expect(has(needs, of)).toBe(true);
    }));
  });

  test('without parentheses && binds closer than ||', () => {
    fc.assert(fc.property(fc.array(fc.array(leaf, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }), given, (groups, of) => {
      const text = groups.map((group) => group.map((one) => one.text).join(' && ')).join(' || ');
      expect(attributeQuery(text)(of)).toBe(groups.some((group) => group.every((one) => one.holds(of))));
    }));
  });

  test('any text is read, or refused with a column that is inside of it or just behind', () => {
    const pieces = fc.array(fc.oneof(fc.constantFrom('(', ')', '!', '&&', '||', '==', '<', 'has', 'a', '"x"', "'", '1', ' ', '=', '\\', '2GiB'), fc.string({ maxLength: 2 })), { maxLength: 20 }).map((all) => all.join(''));
    fc.assert(fc.property(pieces, (text) => {
      try {
        expect(typeof attributeQuery(text)({})).toBe('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(QueryFault);
        const { column } = error as QueryFault;
        expect(column >= 1 && column <= text.length + 1, `${column} of ${JSON.stringify(text)}`).toBe(true);
      }
    }));
  });
});
