/** What a filter may be given. */
export type FilterForm =
  /** any of these; several with commas between */
  | { oneOf: readonly string[] }
  /** any text, such as a name: given several times, one of them */
  | 'text'
  /** NAME:VALUE; given several times, all of them */
  | 'attribute'
  /** RFC 3339 */
  | 'instant'
  /** a whole number from 1 on */
  | 'number';

export type KeyForm = 'text' | 'number' | 'instant';

/** What can be asked of a list. */
export interface ListForm {
  filters: Readonly<Record<string, FilterForm>>;
  /** what it can be sorted by, and what that is */
  sorts: Readonly<Record<string, KeyForm>>;
  /** what tells two rows apart that are alike in what they are sorted by */
  tie: Exclude<KeyForm, 'instant'>;
  /** the sort when none is given; with `-` before it, the greatest first */
  order: string;
  /** how many when nothing is said */
  usual?: number;
}

/** Where a page ends: what its last row is sorted by, and what tells rows apart that are alike in that. */
export interface Place {
  key: string | number;
  tie: string | number;
}

/** A question to a list, already read. */
export interface ListQuery {
  /** what each filter was given; filters that were not given are not here */
  where: Readonly<Record<string, readonly string[]>>;
  sort: string;
  descending: boolean;
  limit: number;
  /** the last row that the asker has */
  after: Place | undefined;
  /** how many there are on all pages is wanted too */
  total: boolean;
}

/** So many are counted; of more it is said that there are more. */
export const COUNTED = 10_000;

/** One page as a list gives it: the place where it ends, while there is more. */
export interface Listed<R> {
  items: R[];
  next: Place | null;
  total: number | undefined;
}
