/** How much a media type is wanted (RFC 9110, 12.5.1), from 0 to 1: the closest range says. */
export function wanted(header: string, type: string): number {
  const [group] = type.split('/');
  let found = { closeness: 0, quality: 0 };
  for (const one of header.toLowerCase().split(',')) {
    const [range = '', ...parameters] = one.split(';').map((part) => part.trim());
    const closeness = range === type ? 3 : range === `${group}/*` ? 2 : range === '*/*' || range === '' ? 1 : 0;
    if (closeness > found.closeness) found = { closeness, quality: qualityOf(parameters) };
  }
  return found.quality;
}

/** Of two media types, whether the second is rather wanted than the first; when it makes no difference, it is not. */
export const rather = (header: string | undefined, usual: string, other: string): boolean => header !== undefined && wanted(header, other) > wanted(header, usual);

/** `q` of an entry; one that can't be read is 1. */
export function qualityOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return text !== undefined && /^[01](\.\d{0,3})?$/.test(text) ? Number(text) : 1;
}
