import { CST, Lexer } from 'yaml';

/** What people write here needs five levels at most. A document that is deeper than its reader's stack kills the process (measured: an abort inside V8). */
const MAX_FLOW = 50;
const MAX_ON_ONE_LINE = 50;
const MAX_INDENT = 100;
/** Each alias is looked for in the whole document. */
const MAX_ALIASES = 100;
/** A plan of five hundred steps with twenty variables each stays below it; what bad input of that size costs is a second or two (measured). */
const MAX_TOKENS = 100_000;

/**
 * What makes a text too much for a parser that calls itself for every level, found without recursion and in one pass over
 * its tokens; undefined when it may be parsed.
 */
export function beyondLimits(text: string, what: string): { offset: number; message: string } | undefined {
  let offset = 0;
  let lineStart = 0;
  /** nothing but space stands on the line so far */
  let blank = true;
  let flow = 0;
  /** levels that may have been opened since the line, or the entry of a flow, began */
  let opened = 0;
  let tokens = 0;
  let aliases = 0;
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    const type: CST.Token['type'] | 'text' | null = isText ? 'text' : CST.tokenType(token);
    isText = type === 'scalar';
    if (isText || type === 'doc-mode' || type === 'flow-error-end') continue; // marks of the lexer, not in the text
    if (++tokens > MAX_TOKENS) return { offset, message: `has too many parts to be a ${what}` };
    switch (type) {
      case 'newline':
        if (flow === 0) opened = 0;
        break;
      case 'comma':
        opened = 0;
        break;
      case 'flow-map-start':
      case 'flow-seq-start':
        opened = 0;
        if (++flow > MAX_FLOW) return { offset, message: `is nested too deeply: at most ${MAX_FLOW} brackets may be open` };
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        opened = 0;
        flow = Math.max(0, flow - 1);
        break;
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        if (++opened > MAX_ON_ONE_LINE) return { offset, message: 'is nested too deeply: too many levels begin on this line' };
        break;
      case 'alias':
        if (++aliases > MAX_ALIASES) return { offset, message: `has too many aliases: at most ${MAX_ALIASES} may stand in a ${what}` };
        break;
      default:
        break; // text, space, comments: they open nothing
    }
    if (type !== 'space' && type !== 'newline' && type !== 'comment') {
      // A level of a block stands further right than the one around it, so the indentation bounds their number.
      if (blank && flow === 0 && offset - lineStart > MAX_INDENT) return { offset, message: `is nested too deeply: lines may be indented by ${MAX_INDENT} columns` };
      blank = false;
    }
    const lineEnd = token.lastIndexOf('\n');
    if (lineEnd >= 0) {
      lineStart = offset + lineEnd + 1;
      blank = lineEnd === token.length - 1;
    }
    offset += token.length;
  }
  return undefined;
}
