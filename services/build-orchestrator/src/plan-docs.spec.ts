import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isSeq, parseDocument } from 'yaml';
import { readPlan } from './adapters/plan-yaml.js';

/** What an example may take for granted. */
const around = 'variables: { reporter: dot, level: 3, target: x, version: v, from: x, title: x }\nsecrets: { NPM_TOKEN: npm }\n';
const indented = (text: string) => text.replaceAll(/^(?=.)/gm, '  ');

/** An example as a whole plan: most show a part of one. */
function whole(text: string): string {
  if (isSeq(parseDocument(text).contents)) return `name: p\n${around}steps:\n  - { name: Before, id: test, run: x }\n${indented(text)}`;
  const keys = Object.keys(parseDocument(text).toJS() as object);
  return `${keys.includes('name') ? '' : 'name: p\n'}${keys.includes('variables') ? '' : around.split('\n')[0]!}\n${keys.includes('secrets') ? '' : around.split('\n')[1]!}\n${text}${keys.includes('steps') ? '' : 'steps: [{ name: A, run: x }]\n'}`;
}

describe.each(['reference/plan.md', 'how-to/write-a-plan.md'])('every example in docs/%s is a plan', (file) => {
  const text = readFileSync(new URL(`../../../docs/${file}`, import.meta.url), 'utf8');
  const examples = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, example]) => example!);
  test('there are some', () => expect(examples.length).toBeGreaterThan(8));
  test.each(examples)('%s', (example) => expect(readPlan(whole(example))).not.toHaveProperty('errors'));
});
