/** HTTP status by code: "Error responses" of the Amazon S3 API Reference. */
const STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  /** not of Amazon, but of stores with limits that speak the same API */
  QuotaExceeded: 507,
  NotModified: 304,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
  /** what the real service can do and this stand-in cannot */
  UnsupportedByStandIn: 501,
} as const;

export type S3Code = keyof typeof STATUS;

/** An error answer of the API. */
export class S3Refusal extends Error {
  readonly status: number;
  constructor(
    readonly code: S3Code,
    message: string,
  ) {
    super(message);
    this.name = code;
    this.status = STATUS[code];
  }
}
