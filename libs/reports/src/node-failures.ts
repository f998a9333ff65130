/** Node's words for why a test did not pass (`failureType`), where they say more than that it failed. */
const outcomes: Readonly<Record<string, 'failed' | 'broken'>> = {
  testCodeFailure: 'failed',
  subtestsFailed: 'failed',
  testTimeoutFailure: 'broken',
  hookFailed: 'broken',
  cancelledByParent: 'broken',
  parentAlreadyFinished: 'broken',
  testAborted: 'broken',
  uncaughtException: 'broken',
  unhandledRejection: 'broken',
};

/** What a `failureType` comes to; nothing where the word is not Node's. */
export function nodeOutcome(failureType: string | undefined): 'failed' | 'broken' | undefined {
  return failureType !== undefined && Object.hasOwn(outcomes, failureType) ? outcomes[failureType] : undefined;
}
