#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { count, total } from './count.js';
import { mostFrequent } from './frequency.js';

const USAGE = 'usage: wordcount [--top N] [FILE...]';

process.exitCode = main(process.argv.slice(2));

function main(argv) {
  let options;
  try {
    options = parseArgs({ args: argv, allowPositionals: true, options: { top: { type: 'string' } } });
  } catch (error) {
    return refuse(error.message);
  }
  const { values, positionals: files } = options;
  const top = values.top === undefined ? 0 : Number(values.top);
  if (!Number.isInteger(top) || top < 0) return refuse(`--top must be a whole number, not "${values.top}"`);

  const texts = [];
  let failed = false;
  for (const file of files.length > 0 ? files : [undefined]) {
    try {
      texts.push({ file, text: readFileSync(file ?? 0, 'utf8') });
    } catch (error) {
      failed = true;
      console.error(`${file}: ${error.code === 'ENOENT' ? 'no such file' : error.code}`);
    }
  }
  const counts = texts.map(({ text }) => count(text));
  texts.forEach(({ file }, at) => console.log(line(counts[at], file)));
  if (texts.length > 1) console.log(line(total(counts), 'total'));
  if (top > 0) for (const { word, count: times } of mostFrequent(texts.map(({ text }) => text).join('\n'), top)) console.log(`${word} ${times}`);
  return failed ? 1 : 0;
}

function line({ lines, words, bytes }, name) {
  const numbers = [lines, words, bytes].map((value) => String(value).padStart(5)).join('  ');
  return name === undefined ? numbers : `${numbers}  ${name}`;
}

function refuse(message) {
  console.error(`${message}\n${USAGE}`);
  return 2;
}
