import { useCallback } from 'react';
import { useSearchParams } from 'wouter';

/** Filters that live in the address, so that they can be sent to somebody. `undefined` and '' take one away. */
export function useParam(name: string, otherwise = ''): [value: string, set: (value: string | undefined) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string | undefined) =>
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          if (value === undefined || value === '' || value === otherwise) next.delete(name);
          else next.set(name, value);
          return next;
        },
        { replace: true },
      ),
    [name, otherwise, setParams],
  );
  return [params.get(name) ?? otherwise, set];
}
