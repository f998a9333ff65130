/** What a document holds: an object's names become elements, each entry of an array one of the same name, undefined nothing. */
export type Xml = string | number | boolean | Date | undefined | readonly Xml[] | { readonly [name: string]: Xml };

/** The document of an answer. */
export function answerXml(root: string, content: { readonly [name: string]: Xml }): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner(content)}</${root}>`;
}

/** The document of a refusal, which has no namespace. */
export function errorXml(code: string, message: string, resource: string, requestId: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner({ Code: code, Message: message, Resource: resource, RequestId: requestId })}</Error>`;
}

function inner(value: Xml): string {
  if (value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object') return escape(String(value));
  return Object.entries(value).map(([name, entry]) => element(name, entry)).join('');
}

function element(name: string, value: Xml): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return (value as readonly Xml[]).map((entry) => element(name, entry)).join('');
  return `<${name}>${inner(value)}</${name}>`;
}

function escape(text: string): string {
  // A bare carriage return would be read as a line feed.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\r', '&#xD;');
}

/** The parts that `CompleteMultipartUpload` names, in its order; undefined when it is no such document. */
export function readParts(document: string): { number: number; etag: string; checksum: string | undefined }[] | undefined {
  if (!/<CompleteMultipartUpload[ >]/.test(document)) return undefined;
  const parts = [...document.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
    etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '"').replaceAll('"', ''),
    checksum: /<ChecksumCRC32>(.*?)<\/ChecksumCRC32>/.exec(part)?.[1],
  }));
  return parts.length > 0 && parts.every(({ number, etag }) => Number.isInteger(number) && etag !== '') ? parts : undefined;
}
