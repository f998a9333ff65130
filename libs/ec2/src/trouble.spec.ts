import { EC2ServiceException } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { CredentialsMissing, ForeignAnswer, troubleOf } from './trouble.js';

const place = { region: 'eu-central-1' };
const refusal = (name: string, message = 'as it is', httpStatusCode = 400): Error => new EC2ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode, requestId: 'r' } });
const failure = (fields: object): Error => Object.assign(new Error('it broke'), { $metadata: {} }, fields);

describe('an answer', () => {
  it.each([
    ['UnauthorizedOperation', 403, 'permission', 'answered'],
    ['AuthFailure', 401, 'credentials', 'answered'],
    ['ExpiredToken', 400, 'credentials', 'answered'],
    ['RequestExpired', 400, 'credentials', 'answered'],
    ['OptInRequired', 401, 'credentials', 'answered'],
    ['RequestLimitExceeded', 503, 'throttled', 'answered'],
    ['Anything', 429, 'throttled', 'answered'],
    ['InternalError', 500, 'outage', 'unknown'],
    ['Anything', 500, 'outage', 'unknown'],
    ['NotFound', 404, 'outage', 'unknown'],
    ['InvalidAMIName.Duplicate', 400, 'refused', 'answered'],
  ])('%s with status %i is %s', (code, status, is, outcome) => {
    expect(troubleOf(refusal(code, 'as it is', status), place)).toMatchObject({ code, is, outcome });
  });

  it('says what a caller knows of its code, whatever its status', () => {
    const known = (code: string): boolean => code === 'InsufficientInstanceCapacity';
    expect(troubleOf(refusal('InsufficientInstanceCapacity', 'none', 500), place, known)).toMatchObject({ is: 'refused', known: true, text: 'none' });
    expect(troubleOf(refusal('InvalidParameterValue'), place, known)).toMatchObject({ is: 'refused', known: false });
    expect(troubleOf(refusal('InternalError', 'x', 500), place, known)).toMatchObject({ is: 'outage' });
  });

  it('that is none of EC2 says nothing', () => {
    expect(troubleOf(new ForeignAnswer('no list'), place)).toMatchObject({ is: 'outage', outcome: 'unknown', advice: 'what answers there is not EC2' });
    expect(troubleOf(refusal('Unknown', 'Unknown', 403), place)).toMatchObject({ is: 'outage', outcome: 'unknown' });
  });

  it('shows no id of a key, and not more than a line', () => {
    const { text } = troubleOf(refusal('UnauthorizedOperation', `AKIAIOSFODNN7EXAMPLE may\nnot: ${'x'.repeat(2000)}`), place);
    expect(text).toMatch(/^AKIA… may not: x+…$/);
    expect(text.length).toBe(400);
  });
});

describe('no answer', () => {
  it.each([
    [{ code: 'ECONNREFUSED' }, 'not-sent'],
    [{ name: 'TimeoutError', message: 'the request socket did not establish a connection with the server within the configured timeout of 3000 ms.' }, 'not-sent'],
    [{ name: 'TimeoutError', code: 'ECONNRESET', message: 'socket hang up' }, 'unknown'],
    [{ name: 'TimeoutError', code: 'ETIMEDOUT' }, 'unknown'],
    [{ name: 'AbortError' }, 'unknown'],
  ])('%j is an outage, and the request was %s', (fields, outcome) => {
    expect(troubleOf(failure(fields), place)).toMatchObject({ is: 'outage', outcome });
  });

  it('for lack of credentials is no outage', () => {
    expect(troubleOf(new CredentialsMissing('the environment variable CI_ACCESS_KEY_ID is not set where Berth runs'), place)).toMatchObject({ is: 'credentials', outcome: 'not-sent' });
  });
});

it('does not hide mistakes of this program', () => {
  expect(() => troubleOf(new TypeError('x is not a function'), place)).toThrow(TypeError);
  expect(() => troubleOf('text', place)).toThrow('text');
});
