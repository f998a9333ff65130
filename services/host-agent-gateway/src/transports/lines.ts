import { StringDecoder } from 'node:string_decoder';

/** Cuts a byte stream into lines; a character split between two chunks stays whole. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    const text = rest + decoder.write(chunk);
    const lines = text.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}

/** Keeps the last `limit` characters of what it is given. */
export function lastWords(limit: number): { add(chunk: Buffer): void; text(): string } {
  let kept = '';
  return {
    add: (chunk) => {
      kept = (kept + chunk.toString('utf8')).slice(-limit);
    },
    text: () => kept.trim(),
  };
}
