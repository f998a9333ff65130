import { describe, expect, it } from 'vitest';
import { buildCommands } from './build.js';
import { plan } from './plan.js';
import { fieldErrors } from './problems.js';

const request = (variables: Record<string, string>) => buildCommands.RequestBuild.safeParse({ plan: 'p', variables });
const planOf = (more: Record<string, unknown>, step: Record<string, unknown> = { name: 'a', run: 'true' }) => plan.safeParse({ name: 'p', steps: [step], ...more });
const faults = (read: ReturnType<typeof request> | ReturnType<typeof planOf>) => (read.success ? [] : fieldErrors(read.error));

describe('variables with a power of their own', () => {
  it.each(['LD_PRELOAD', 'BASH_ENV', 'ENV', 'ifs'])('are refused in a request, by name (%s)', (name) => {
    expect(faults(request({ [name]: 'x', VERSION: '1' }))).toEqual([{ field: `variables.${name}`, message: expect.stringContaining(`the variable ${name} cannot take a value from a request, because `) }]);
  });

  it('are refused where a plan takes them from requests, or hands them to another plan', () => {
    expect(faults(planOf({ variables: { PS4: { required: true }, OTHER: 1 } }))).toEqual([{ field: 'variables.PS4', message: expect.stringContaining('the variable PS4 cannot') }]);
    expect(faults(planOf({}, { name: 'a', uses: 'call-plan', with: { plan: 'q', variables: { IFS: ',' } } }))).toEqual([{ field: 'steps[0].with.variables.IFS', message: expect.stringContaining('the variable IFS cannot') }]);
  });

  it('are set by a plan itself, but not to what a request may give', () => {
    const env = { LD_LIBRARY_PATH: '/opt/lib', BASH_ENV: './ci.sh', ENV: '${{ ref }}', VERSION: '${{ ref }}' };
    expect(planOf({ env }).success).toBe(true);
    expect(planOf({}, { name: 'a', run: 'true', env }).success).toBe(true);
    expect(faults(planOf({ env: { ...env, LD_LIBRARY_PATH: '/opt/${{ ref }}' } }))).toEqual([{ field: 'env.LD_LIBRARY_PATH', message: expect.stringContaining('the variable LD_LIBRARY_PATH cannot') }]);
    expect(faults(planOf({}, { name: 'a', run: 'true', env: { BASH_ENV: '${{ x }}' } }))).toEqual([{ field: 'steps[0].env.BASH_ENV', message: expect.stringContaining('the variable BASH_ENV cannot') }]);
  });

  it('are told apart from names that are none', () => {
    expect(faults(request({ 'a-b': 'x' }))).toEqual([{ field: 'variables.a-b', message: 'a variable name is letters, digits and "_"' }]);
  });
});
