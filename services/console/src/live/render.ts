import { pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { ActionLogLine, BuildLogLine } from '@berth/client';
import { stripAnsi } from './ansi.js';
import type { Line } from './lines.js';
import type { Section } from './sections.js';

const LF = Buffer.from('\n');

/** Lines as text, each with its end; with the time first if that is asked for. */
export function textOf(lines: readonly Line[], { timestamps, plain }: { timestamps: boolean; plain: boolean }): Uint8Array {
  return Buffer.concat(
    lines.flatMap(({ bytes, time }) => {
      const own = plain ? stripAnsi(bytes) : bytes;
      return timestamps ? [Buffer.from(`${time ?? '-'} `), own, LF] : [own, LF];
    }),
  );
}

/** A line as the API shows it. */
export function lineView({ n, time, stream, bytes, group }: Line, plain: boolean): ActionLogLine {
  const text = Buffer.from(plain ? stripAnsi(bytes) : bytes).toString();
  return { n, time, stream, text, ...(group.length > 0 && { group: [...group] }) };
}

/** The same of a build: its step is the outermost group. */
export function buildLineView(section: Section, line: Line, plain: boolean): BuildLogLine {
  const { step, name, action, index } = section;
  return { at: `${index}:${line.n}`, step: name, stepIndex: step, action, ...lineView(line, plain), group: [name, ...line.group] };
}

/** One JSON value a line. */
export const ndjson = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** Compresses what comes, as it comes. */
export async function* gzipped(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array, void, undefined> {
  const zip = createGzip({ level: 4 });
  // An error of the source comes out of `zip`, where it is told.
  pipeline(source, zip, () => undefined);
  for await (const piece of zip) yield piece as Uint8Array;
}
