import type { Explanation, FieldError } from '@berth/contracts';

/** A "no" of the HTTP API (RFC 9457), or of the way to it (`status` 0). */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    /** one of the codes of `refusals` in the contracts, or `bad-request`, `conflict`, `internal` and the like */
    readonly code: string,
    message: string,
    readonly errors: FieldError[] = [],
    /** of `unservable`: what was looked at for the request */
    readonly explanation?: Explanation,
  ) {
    super(message);
    this.name = 'ProblemError';
  }
}
