/** What was typed with commas or spaces between, as a list. */
export const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** A value without the one line break that editors and terminals put at its end. */
export const withoutLineBreak = (text: string): string => text.replace(/\r?\n$/, '');
