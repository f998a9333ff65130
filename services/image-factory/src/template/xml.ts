import { SaxesParser } from 'saxes';

/** An element of an XML text, and where in the text it begins. */
export interface XmlElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: XmlElement[];
  /** its own character data, in one piece */
  text: string;
  /** offset of its `<` */
  at: number;
}

/** A template needs four levels. */
const MAX_DEPTH = 20;
/** The largest template of a plan that can be carried out stays far below. */
const MAX_ELEMENTS = 20_000;

/** Why a text can't be read as XML: one sentence, and where. */
export class XmlFault extends Error {
  override readonly name = 'XmlFault';
  constructor(
    message: string,
    /** offset in the text */
    readonly at: number,
  ) {
    super(message);
  }
}

/**
 * Reads an XML text into a tree. The parser knows the five entities of XML and no others, and opens nothing; a DOCTYPE is
 * refused, so nothing can be declared that unfolds.
 * @throws {XmlFault} at the first fault: what follows one can't be told
 */
export function readXml(text: string): XmlElement {
  const parser = new Strict();
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  parser.on('doctype', () => parser.stop('has a DOCTYPE, which no template needs: remove it'));
  parser.on('opentagstart', ({ name }) => {
    const element: XmlElement = { name, attributes: {}, children: [], text: '', at: text.lastIndexOf('<', parser.position - 1) };
    if (open.length >= MAX_DEPTH) throw new XmlFault(`is nested too deeply: at most ${MAX_DEPTH} elements may stand inside each other`, element.at);
    if (++count > MAX_ELEMENTS) throw new XmlFault('has too many elements to be a template', element.at);
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('opentag', ({ attributes }) => void (open.at(-1)!.attributes = attributes));
  parser.on('closetag', () => void open.pop());
  const add = (data: string) => {
    const element = open.at(-1);
    if (element) element.text += data;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.write(text).close();
  // Without an element the parser has said so.
  return root!;
}

/** The parser, without leave to go on after a fault. */
class Strict extends SaxesParser {
  stop(message: string): never {
    throw new XmlFault(message, Math.max(0, this.position - 1));
  }

  override fail(message: string): this {
    const unclosed = /^unclosed tag: (.*)$/s.exec(message)?.[1];
    if (unclosed !== undefined) this.stop(`ends inside <${unclosed.slice(0, 80)}>: close it`);
    if (message === 'undefined entity.') this.stop('uses an entity that XML does not have: write the character itself');
    if (message === 'disallowed character.') this.stop('has a character here that XML does not allow: remove it, or write what it is in as type="base64"');
    if (message === 'text data outside of root node.') this.stop('has text outside of <template>: remove it');
    this.stop(`is not well-formed XML: ${message.slice(0, 120).replace(/\.$/, '')}`);
  }
}
