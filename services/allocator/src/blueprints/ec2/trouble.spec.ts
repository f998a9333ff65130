import { EC2ServiceException } from '@aws-sdk/client-ec2';
import { CredentialsMissing } from '@berth/ec2';
import { describe, expect, it } from 'vitest';
import { faultOfEnd } from './codes.js';
import { troubleOf } from './trouble.js';

const region = { region: 'eu-central-1', endpoint: undefined };
const local = { region: 'eu-central-1', endpoint: 'http://127.0.0.1:1' };
const refusal = (name: string, message = 'as it is', httpStatusCode = 400): Error => new EC2ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode, requestId: 'r' } });
const path = (field: string): string => (field === '' ? 'data.spec' : `data.spec.${field}`);
const failure = (fields: object): Error => Object.assign(new Error('it broke'), { $metadata: {} }, fields);

describe('what EC2 refuses', () => {
  const MINUTE = 60_000;
  it.each([
    ['InsufficientInstanceCapacity', 'capacity', 5 * MINUTE, 'types'],
    ['InsufficientHostCapacity', 'capacity', 5 * MINUTE, 'types'],
    ['InsufficientReservedInstanceCapacity', 'capacity', 5 * MINUTE, 'types'],
    ['InsufficientFreeAddressesInSubnet', 'capacity', 5 * MINUTE, 'zones'],
    ['SpotMaxPriceTooLow', 'capacity', 5 * MINUTE, 'markets'],
    ['Unsupported', 'capacity', 60 * MINUTE, 'types'],
    ['InstanceLimitExceeded', 'quota', 10 * MINUTE, 'types'],
    ['VcpuLimitExceeded', 'quota', 10 * MINUTE, 'types'],
    ['MaxSpotInstanceCountExceeded', 'quota', 10 * MINUTE, 'markets'],
    ['VolumeLimitExceeded', 'quota', 10 * MINUTE, 'volumes'],
  ])('%s: another offer, for this is %s', (code, fault, forMs, field) => {
    expect(troubleOf(refusal(code, 'as it is', 500), region)).toMatchObject({ fault, then: 'another', forMs, field: `data.spec.${field}`, code, outcome: 'answered' });
  });

  it.each([
    ['InvalidAMIID.NotFound', '', 'image', 'image'],
    ['InvalidAMIID.Unavailable', '', 'image', 'image'],
    ['InvalidSnapshot.NotFound', '', 'image', 'image'],
    ['InvalidBlockDeviceMapping', '', 'image', 'volumes'],
    ['InvalidParameterValue', "The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64' of the specified AMI.", 'image', 'image'],
    ['AuthFailure', 'Not authorized for images: [ami-1]', 'image', 'image'],
    ['AuthFailure', 'AWS was not able to validate the provided access credentials', 'credentials', 'credentials'],
    ['UnauthorizedOperation', 'not authorized to perform: ec2:DescribeImages', 'credentials', 'credentials'],
    ['InvalidClientTokenId', '', 'credentials', 'credentials'],
    ['ExpiredToken', '', 'credentials', 'credentials'],
    ['SignatureDoesNotMatch', '', 'credentials', 'credentials'],
    ['OptInRequired', '', 'credentials', 'credentials'],
    ['RequestExpired', '', 'credentials', 'credentials'],
    ['InvalidSubnetID.NotFound', '', 'configuration', 'zones'],
    ['InvalidGroup.NotFound', '', 'configuration', 'securityGroups'],
    ['InvalidGroupId.Malformed', '', 'configuration', 'securityGroups'],
    ['InvalidKeyPair.NotFound', '', 'configuration', 'keyName'],
    ['InvalidUserData.Malformed', '', 'configuration', 'userData'],
    ['InvalidParameterValue', 'Value (ci) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name', 'configuration', 'instanceProfile'],
    ['InvalidParameterValue', 'Invalid availability zone: [eu-central-1z]', 'configuration', 'zones'],
    ['InvalidParameterValue', 'Value (x9.large) for parameter InstanceType is invalid.', 'configuration', 'types'],
    ['InvalidParameterCombination', 'The parameter iops must be specified for io2 volumes.', 'configuration', 'volumes'],
    ['MissingParameter', 'The request must contain the parameter ImageId', 'image', 'image'],
    ['InvalidParameterValue', 'never seen', 'configuration', ''],
    ['SomethingNew', 'never seen', 'configuration', ''],
  ])('%s (%s): nothing helps before somebody changes it', (code, message, fault, field) => {
    const trouble = troubleOf(refusal(code, message || 'as it is'), region);
    expect(trouble).toMatchObject({ fault, then: 'never', field: path(field), code, outcome: 'answered' });
    expect(trouble.sentence).toContain(`See ${path(field)}: `);
  });

  it.each([
    ['RequestLimitExceeded', 503, 'throttled', 'answered'],
    ['Throttling', 400, 'throttled', 'answered'],
    ['SlowDown', 503, 'throttled', 'answered'],
    ['Anything', 429, 'throttled', 'answered'],
    ['InternalError', 500, 'outage', 'unknown'],
    ['ServiceUnavailable', 503, 'outage', 'unknown'],
    ['Unavailable', 503, 'outage', 'unknown'],
    ['Anything', 500, 'outage', 'unknown'],
    ['NotFound', 404, 'outage', 'unknown'],
  ])('%s with status %i: later again', (code, status, fault, outcome) => {
    expect(troubleOf(refusal(code, 'as it is', status), region)).toMatchObject({ then: 'again', fault, outcome });
  });
});

describe('what does not come through', () => {
  it.each([
    [{ code: 'ECONNREFUSED' }, 'not-sent'],
    [{ code: 'ENOTFOUND' }, 'not-sent'],
    [{ name: 'TimeoutError', message: 'the request socket did not establish a connection with the server within the configured timeout of 3000 ms.' }, 'not-sent'],
    [{ name: 'TimeoutError', code: 'ECONNRESET', message: 'socket hang up' }, 'unknown'],
    [{ name: 'TimeoutError', code: 'ETIMEDOUT' }, 'unknown'],
    [{ $metadata: { httpStatusCode: 502 }, message: 'XML parse error' }, 'unknown'],
  ])('%j is an outage, and the request was %s', (fields, outcome) => {
    expect(troubleOf(failure(fields), region)).toMatchObject({ fault: 'outage', then: 'again', outcome, field: 'data.spec.region' });
    expect(troubleOf(failure(fields), local)).toMatchObject({ field: 'data.spec.endpoint' });
  });

  it('is asked again when only the clock was wrong, which the SDK has noticed', () => {
    const error = Object.assign(refusal('AuthFailure'), { $metadata: { httpStatusCode: 401, clockSkewCorrected: true } });
    expect(troubleOf(error, region)).toMatchObject({ then: 'again', outcome: 'answered' });
  });
});

describe('credentials', () => {
  it('that are missing are told by the name of the variable', () => {
    expect(troubleOf(new CredentialsMissing('the environment variable CI_ACCESS_KEY_ID is not set where Berth runs'), region)).toMatchObject({
      fault: 'credentials',
      then: 'never',
      outcome: 'not-sent',
      sentence: 'the credentials do not work: the environment variable CI_ACCESS_KEY_ID is not set where Berth runs (CredentialsMissing). See data.spec.credentials: what it refers to must be there and valid',
    });
  });

  it('are not repeated, and long messages are cut', () => {
    const { sentence } = troubleOf(refusal('UnauthorizedOperation', `AKIAIOSFODNN7EXAMPLE may not: ${'x'.repeat(2000)}`), region);
    expect(sentence).not.toContain('IOSFODNN7EXAMPLE');
    expect(sentence.length).toBeLessThan(700);
  });
});

it('does not hide mistakes of this program', () => {
  expect(() => troubleOf(new TypeError('x is not a function'), region)).toThrow(TypeError);
});

it.each([
  ['Server.InsufficientInstanceCapacity', 'capacity'],
  ['Server.SpotInstanceTermination', 'capacity'],
  ['Client.VolumeLimitExceeded', 'quota'],
  ['Client.InvalidSnapshot.NotFound', 'image'],
  ['Client.InternalError', 'image'],
  ['Server.InternalError', 'lost'],
  ['Client.UserInitiatedShutdown', 'lost'],
  [undefined, 'lost'],
])('an instance that ended with %s says %s', (code, fault) => {
  expect(faultOfEnd(code)).toBe(fault);
});
