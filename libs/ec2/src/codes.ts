/** What an error code says whatever was asked for. */
export type CommonMeaning =
  /** who asks is known and may not */
  | { is: 'permission' }
  /** who asks is not known, or may do nothing at all */
  | { is: 'credentials'; advice: string }
  /** the same call may work later */
  | { is: 'throttled'; advice: string }
  | { is: 'outage'; advice: string };

export const throttled: CommonMeaning = { is: 'throttled', advice: 'too much is asked of this account and region at a time' };
export const outage: CommonMeaning & { is: 'outage' } = { is: 'outage', advice: 'see the health of the service in this region' };
const credentials = (advice: string): CommonMeaning => ({ is: 'credentials', advice });

/** "Error codes for the Amazon EC2 API" (Developer Guide). */
const CODES: readonly (readonly [code: RegExp, meaning: CommonMeaning])[] = [
  [/^(UnauthorizedOperation|AccessDenied|AccessDeniedException)$/, { is: 'permission' }],
  [/^(OptInRequired|Blocked|PendingVerification)$/, credentials('see to the account')],
  [/^(RequestExpired|RequestTimeTooSkewed|RequestInTheFuture)$/, credentials('set the clock of the machine that Berth runs on')],
  [
    /^(AuthFailure|InvalidClientTokenId|InvalidAccessKeyId|InvalidSecurityToken|InvalidSecurity|ExpiredToken|ExpiredTokenException|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken|UnrecognizedClientException|CredentialsProviderError|CredentialsMissing|TokenProviderError)$/,
    credentials('what it refers to must be there and valid'),
  ],
  [/^(RequestLimitExceeded|RequestThrottled|RequestThrottledException|Throttling|ThrottlingException|ThrottledException|EC2ThrottledException|SlowDown|TooManyRequestsException|BandwidthLimitExceeded)$/, throttled],
  [/^(InternalError|InternalFailure|ServerInternal|ServiceUnavailable|Unavailable)$/, outage],
];

/** Undefined for codes that say something about what was asked for, and for those that nobody wrote down. */
export function commonMeaning(code: string): CommonMeaning | undefined {
  return CODES.find(([pattern]) => pattern.test(code))?.[1];
}
