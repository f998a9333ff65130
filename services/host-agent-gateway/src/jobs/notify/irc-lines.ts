/** Bytes of one message without its CR-LF: RFC 2812, section 2.3, has 512 with it. */
export const MOST_BYTES = 510;

/** One message of a server: RFC 2812, section 2.3.1. */
export interface IrcMessage {
  prefix: string;
  command: string;
  parameters: string[];
}

export function parseLine(line: string): IrcMessage | undefined {
  const [, prefix = '', command, rest = ''] = /^(?::(\S+) +)?([A-Za-z]+|\d{3})(.*)$/.exec(line) ?? [];
  if (command === undefined) return undefined;
  const at = rest.indexOf(' :');
  const parameters = (at < 0 ? rest : rest.slice(0, at)).split(' ').filter((part) => part !== '');
  return { prefix, command: command.toUpperCase(), parameters: at < 0 ? parameters : [...parameters, rest.slice(at + 2)] };
}

/**
 * A text in as many parts as it needs for each message to come whole. What a server hands on begins with who said it, `:nick!user@host`,
 * and that counts too: without it the end of a part would be cut off on its way.
 *
 * @param prefix who we are, as the server says it
 */
export function chunks(text: string, channel: string, prefix: string): string[] {
  const room = MOST_BYTES - Buffer.byteLength(`:${prefix} PRIVMSG ${channel} :`);
  // A line break would be a command of its own: section 2.3 forbids CR, LF and NUL in parameters.
  let rest = text.replaceAll(/[\u0000\r\n]+/g, ' ').trim();
  const parts: string[] = [];
  while (rest !== '') {
    const part = beginning(rest, room);
    parts.push(part.trimEnd());
    rest = rest.slice(part.length).trimStart();
  }
  return parts;
}

/** As much of a text as has so many bytes: whole words, or at least whole characters. */
function beginning(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let length = 0;
  let size = 0;
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    length += character.length;
  }
  // A character of four bytes is taken whatever there is room for: nothing would ever end otherwise.
  if (length === 0) return [...text][0]!;
  const space = text.lastIndexOf(' ', length);
  return text.slice(0, space > length / 2 ? space : length);
}
