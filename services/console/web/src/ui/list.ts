import { usePages, type Rows } from '../api/read';
import type { Query } from '../api/request';
import { useParam } from './params';

/** A list that the server filters and sorts, in the order of the address. @param usual the order when it asks for none */
export function useList<T>(path: string, usual: string, query: Query = {}): Rows<T> & { usual: string } {
  const [sort] = useParam('sort', usual);
  return { ...usePages<T>(path, { ...query, sort }), usual };
}
