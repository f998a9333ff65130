import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageTemplate } from '@berth/contracts';
import { anyTemplate, tdlOf } from './template.testing.js';
import { readTemplate } from './read.js';

const valid = 'name: a\nos: { name: debian, version: 12 }\nfiles:\n  - { path: /a, content: "x" }\ncommands:\n  - { name: b, run: "true" }\n';
const parts = ['<', '>', '</', '/>', '<template>', '<os>', '<name>', '<![CDATA[', ']]>', '&', ';', '&#', '&lt;', '<!DOCTYPE', '<!--', '-->', '"', "'", ':', '- ', '{', '}', '[', ']', '&a', '*a', '!!', '|', '\n', '\r', '\t', '  ', 'name', 'os', '\0', '\uFFFD', '\uD800', '\u{1F600}', '=', '<?xml', '?>', '%', '#'];
const soup = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 6 })), { maxLength: 200 }).map((some) => some.join(''));
/** A good text with something put in, or left out. */
const damaged = (texts: fc.Arbitrary<string>) => fc.tuple(texts, fc.nat(), fc.nat({ max: 20 }), fc.constantFrom(...parts, '')).map(([text, at, out, into]) => {
  const from = at % (text.length + 1);
  return text.slice(0, from) + into + text.slice(from + out);
});

/** Whatever comes in is a template that the contract takes, or faults that can be told. */
function looks(text: string): void {
  const result = readTemplate(text);
  if ('template' in result) {
    expect(imageTemplate.parse(result.template)).toEqual(result.template);
    return;
  }
  expect(result.errors.length).toBeGreaterThan(0);
  expect(result.errors.length).toBeLessThanOrEqual(50);
  const lines = text.split(/\r\n|\r|\n/).length;
  for (const { field, message } of result.errors) {
    expect(field).not.toBe('');
    const line = /^line (\d+), column (\d+): ./s.exec(message)?.[1];
    expect(line, message).toBeDefined();
    expect(Number(line)).toBeLessThanOrEqual(lines);
  }
}

test('any text', () => fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 2000 }), soup), looks), { numRuns: 3000 }));
test('good texts that were damaged', () => fc.assert(fc.property(damaged(fc.oneof(fc.constant(valid), anyTemplate.map((template) => JSON.stringify(template, null, 1)), anyTemplate.map(tdlOf))), looks), { numRuns: 3000 }));

test('what is written as YAML is read as it was', () => fc.assert(fc.property(anyTemplate, (template) => void expect(readTemplate(JSON.stringify(template))).toEqual({ format: 'yaml', template })), { numRuns: 1000 }));
test('what is written as TDL is read as it was', () => {
  fc.assert(fc.property(anyTemplate, (template) => {
    const { os, name, description, packages, files, commands, repositories } = template;
    // XML has no way to write these where no base64 may stand.
    fc.pre(![description, ...files.map(({ path }) => path), ...commands.map((one) => one.name)].some((text) => /[\x00-\x08\x0b\x0c\x0e-\x1f\uFFFE\uFFFF]/.test(text)));
    const plain = {
      name, os: { name: os.name, version: os.version, arch: os.arch, ...(os.install && { install: os.install }) }, description: description.trim(), packages,
      repositories: repositories.map((one) => ({ name: one.name, url: one.url, trusted: one.trusted, components: ['main'] })),
      files: files.map(({ path, content }) => ({ path, content, mode: '644' })), commands, targets: {},
    };
    expect(readTemplate(tdlOf(template))).toEqual({ format: 'tdl', template: plain });
  }), { numRuns: 1000 });
});
