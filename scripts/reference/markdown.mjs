/** What stands in each page that is made from the contracts. */
export const MADE = 'Made from the contracts by `npm run generate`; do not edit.';

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A table. */
export const markdown = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** A page of such parts. */
export const page = (parts) => `${parts.join('\n\n')}\n`;
