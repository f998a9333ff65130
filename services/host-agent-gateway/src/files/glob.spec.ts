import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, beginning, matches, namesAhead, parseGlob, type Glob } from './glob.js';

const does = (pattern: string, path: string) => matches(parseGlob(pattern), path);

describe('patterns of paths', () => {
  it.each([
    ['out/app.tgz', ['out/app.tgz'], ['out/app', 'app.tgz', 'out/app.tgz/x']],
    ['./out//a', ['out/a'], ['a']],
    ['out/*.tgz', ['out/a.tgz', 'out/a.b.tgz'], ['out/a/b.tgz', 'out/.a.tgz', 'a.tgz']],
    ['*', ['a', 'ä.€'], ['.a', 'a/b']],
    ['.*', ['.a', '.'], ['a']],
    ['a?c', ['abc', 'a€c', 'a😀c'], ['ac', 'abbc']],
    ['?x', ['ax'], ['.x']],
    ['[ab]x', ['ax', 'bx'], ['cx', 'x']],
    ['[a-c0-9]', ['b', '7'], ['d', '-']],
    ['[!a-c]', ['d'], ['a', '.']],
    ['[^a]b', ['bb'], ['ab']],
    ['[]x]', [']', 'x'], ['[']],
    ['[a-]', ['a', '-'], ['b']],
    ['[[]id].tsx', ['[id].tsx'], ['i.tsx']],
    ['a[b', ['a[b'], ['ab']],
    ['[.]x', [], ['.x']],
    ['**', ['a', 'a/b', 'a/b/c'], ['.a', 'a/.b', '.a/b']],
    ['out/**', ['out/a', 'out/a/b'], ['out', 'a']],
    ['**/*.xml', ['a.xml', 'a/b.xml', 'a/b/c.xml'], ['a/.b/c.xml', 'a.xml/b']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/x', 'a/.x/b']],
    ['**/.git/**', ['.git/a', 'x/.git/a/b'], ['git/a', '.git']],
    ['**/**/a', ['a', 'x/y/a'], ['b']],
    ['a**b', ['ab', 'axxb'], ['a/b']],
    ['a\\*', ['a\\x'], ['a*']],
  ])('%s', (pattern, yes, no) => {
    expect(yes.filter((path) => !does(pattern, path))).toEqual([]);
    expect(no.filter((path) => does(pattern, path))).toEqual([]);
  });

  it('knows where its special characters begin, and which names need no looking', () => {
    expect(parseGlob('a/b/c')).toMatchObject({ base: ['a', 'b'], literal: true });
    expect(parseGlob('a/b*/c')).toMatchObject({ base: ['a'], literal: false });
    expect(parseGlob('**')).toMatchObject({ base: [], literal: false });
    const glob = parseGlob('a/b*/c');
    const inside = advance(glob, beginning(glob), 'a');
    expect([namesAhead(glob, beginning(glob)), namesAhead(glob, inside), namesAhead(glob, advance(glob, inside, 'bx'))]).toEqual([['a'], undefined, ['c']]);
  });

  it('takes no time for a pattern made to take long', () => {
    const since = performance.now();
    expect(does(`${'*a'.repeat(60)}*b`, 'a'.repeat(250))).toBe(false);
    expect(does(`${'**/a/'.repeat(40)}b`, Array<string>(200).fill('a').join('/'))).toBe(false);
    expect(performance.now() - since).toBeLessThan(500);
  });

  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'x', '-'), minLength: 1, maxLength: 4 }).filter((text) => text !== '.' && text !== '..');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const part = fc.oneof(fc.constant('**'), fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?', '[ab]', '[!a]', '[a-x]'), minLength: 1, maxLength: 4 }));
  const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')).filter((text) => !text.split('/').some((p) => p === '.' || p === '..'));

  it('agrees with a regular expression of the same meaning', () => {
    fc.assert(fc.property(pattern, path, (p, f) => does(p, f) === asExpression(p).test(f)), { numRuns: 3000 });
  });

  it('matches a path by itself, and by any part of it written as a star', () => {
    const plain = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'ß', '-'), minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(fc.property(plain, fc.nat(), (names, at) => {
      expect(does(names.join('/'), names.join('/'))).toBe(true);
      expect(does(names.with(at % names.length, '*').join('/'), names.join('/'))).toBe(true);
      expect(does('**', names.join('/'))).toBe(true);
    }));
  });

  it('enters every folder on the way to a match', () => {
    fc.assert(fc.property(pattern, path, (p, f) => {
      const glob: Glob = parseGlob(p);
      fc.pre(matches(glob, f));
      const names = f.split('/');
      for (let depth = 1; depth < names.length; depth++) {
        expect(names.slice(0, depth).reduce((progress, n) => advance(glob, progress, n), beginning(glob)).size).toBeGreaterThan(0);
      }
    }), { numRuns: 1000 });
  });
});

/** The same patterns by another way: exponential for some, so for small ones only. */
function asExpression(pattern: string): RegExp {
  const parts = pattern.split('/').filter((part) => part !== '.');
  const visible = '(?!\\.)';
  const text = parts.map((part, index) => {
    const last = index === parts.length - 1;
    if (part === '**') return last ? `(?:${visible}[^/]+/)*${visible}[^/]+` : `(?:${visible}[^/]+/)*`;
    const inner = part.replace(/\[!?[^\]]+\]|[*?.]/g, (token) => (token === '*' ? '[^/]*' : token === '?' ? '[^/]' : token === '.' ? '\\.' : token.replace('[!', '[^/')));
    return `${part.startsWith('.') ? '' : visible}${inner}${last ? '' : '/'}`;
  });
  return new RegExp(`^${text.join('')}$`);
}
