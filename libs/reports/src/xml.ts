import { SaxesParser } from 'saxes';
import { asWritten, ReportFault } from './fault.js';
import type { ReportLimits } from './limits.js';

export type Attributes = Readonly<Record<string, string>>;
/** What a reader is told of an XML file, in its order. */
export interface XmlReader {
  /** The root element is told as any other. @param line of the end of the tag, from 1 */
  open(element: string, attributes: Attributes, line: number): void;
  /** Character data, in pieces. */
  text(text: string): void;
  close(element: string): void;
  comment?(text: string): void;
}

/**
 * Reads XML once, front to back. The parser knows the five entities of XML and no others, and opens nothing. Declarations of
 * entities are refused rather than passed over, since what they stand for would be missing.
 * @throws {ReportFault}
 */
export function readXml(text: string, limits: ReportLimits, reader: XmlReader): void {
  const parser = new Strict();
  let depth = 0;
  parser.on('doctype', (doctype) => {
    if (doctype.includes('[')) throw new ReportFault('declares entities or other markup of its own in its DOCTYPE, which no report needs: have it written without', parser.line);
  });
  parser.on('opentag', (tag) => {
    depth += 1;
    if (depth > limits.maxDepth) throw new ReportFault(`has more than ${limits.maxDepth} elements inside each other: ${asWritten}`, parser.line);
    reader.open(tag.name, tag.attributes, parser.line);
  });
  parser.on('closetag', (tag) => {
    depth -= 1;
    reader.close(tag.name);
  });
  parser.on('text', (data) => reader.text(data));
  parser.on('cdata', (data) => reader.text(data));
  if (reader.comment) parser.on('comment', (data) => reader.comment?.(data));
  // White space before the declaration is an error, and a common one.
  const trimmed = text.trimStart();
  for (const char of text.slice(0, text.length - trimmed.length)) if (char === '\n') parser.line += 1;
  parser.write(trimmed).close();
}

/** The parser, without leave to go on after an error, but for characters that XML forbids: Node's own reporter writes the colours of a message as they are. */
class Strict extends SaxesParser {
  override fail(message: string): this {
    if (message === 'disallowed character.' || message === 'malformed character entity.') return this;
    const cut = /^unclosed tag: (.*)$/s.exec(message)?.[1];
    if (cut !== undefined) throw new ReportFault(`ends inside <${cut.slice(0, 80)}>, so its program was ended while it wrote: look at the output of that program`, this.line);
    if (message === 'undefined entity.') throw new ReportFault('uses an entity that XML does not have: write the character itself', this.line);
    throw new ReportFault(`is not well-formed XML (${message.slice(0, 120).replace(/\.$/, '')}): ${asWritten}`, this.line);
  }
}
