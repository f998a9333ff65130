/**
 * An error answer of the API. Codes and their split into client and server errors are those of "Error codes for the
 * Amazon EC2 API" (API Reference); most messages are worded like those of the service.
 */
export class Ec2Refusal extends Error {
  /** HTTP status of the answer. */
  readonly status: number;

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = code;
    this.status = statusOf(code);
  }
}

/** What the real service can do and this stand-in cannot: told apart from what the real one refuses too. */
export const UNSUPPORTED = 'UnsupportedByStandIn';

const STATUS: Readonly<Record<string, number>> = {
  AuthFailure: 401,
  OptInRequired: 401,
  UnauthorizedOperation: 403,
  SignatureDoesNotMatch: 403,
  Blocked: 403,
  DryRunOperation: 412,
  RequestLimitExceeded: 503,
  ServiceUnavailable: 503,
  Unavailable: 503,
};

// "Server error codes" of the API Reference. That missing capacity is a server error has a consequence: it comes with
// status 500, so the SDKs take it for a passing fault and ask again by themselves.
const SERVER = new Set([
  'BandwidthLimitExceeded',
  'InsufficientAddressCapacity',
  'InsufficientCapacity',
  'InsufficientHostCapacity',
  'InsufficientInstanceCapacity',
  'InsufficientReservedInstanceCapacity',
  'InsufficientVolumeCapacity',
  'InternalError',
  'InternalFailure',
  'ServerInternal',
]);

/** HTTP status that belongs to an error code. */
export function statusOf(code: string): number {
  return STATUS[code] ?? (SERVER.has(code) ? 500 : 400);
}
