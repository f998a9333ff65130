/** What an answer holds: an object's names become elements, each entry of an array an `<item>`, undefined nothing. */
export type Xml = string | number | boolean | Date | undefined | readonly Xml[] | { readonly [name: string]: Xml };

/** The document of an answer that carries something out. */
export function answerXml(action: string, requestId: string, content: { readonly [name: string]: Xml }): string {
  const namespace = 'http://ec2.amazonaws.com/doc/2016-11-15/';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="${namespace}">${write({ requestId, ...content })}</${action}Response>`;
}

/** The document of a refusal: "Example error response" of the API Reference (`RequestID` is spelt so there). */
export function errorXml(code: string, message: string, requestId: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${write({ Response: { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId } })}`;
}

function write(value: Xml): string {
  if (value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (isList(value)) return value.map((entry) => `<item>${write(entry)}</item>`).join('');
  if (typeof value !== 'object') return escape(String(value));
  return Object.entries(value)
    .map(([name, inner]) => (inner === undefined ? '' : `<${name}>${write(inner)}</${name}>`))
    .join('');
}

// Array.isArray does not tell readonly arrays from the rest of a union.
function isList(value: Xml): value is readonly Xml[] {
  return Array.isArray(value);
}

function escape(text: string): string {
  // A bare carriage return would be read as a line feed.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\r', '&#xD;');
}
