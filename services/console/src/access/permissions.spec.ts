import { expect, test } from 'vitest';
import { jobTasks, role } from '@berth/contracts';
import { isAtLeast, isNeed, permissions, permissionsOf, type Permission } from './permissions.js';

const all = Object.keys(permissions) as Permission[];

test('each role may do what the one before may, and more', () => {
  const sets = role.options.map((one) => permissionsOf(one, null));
  for (const [at, set] of sets.entries()) {
    for (const permission of sets[at - 1] ?? []) expect(set).toContain(permission);
    expect(set.length).toBeGreaterThan(sets[at - 1]?.length ?? 0);
  }
  expect(sets.at(-1)).toEqual(all);
});

test('a viewer writes nothing, and nobody with projects touches what acts for none', () => {
  expect(permissionsOf('viewer', null).filter((permission) => !permission.endsWith(':read'))).toEqual([]);
  for (const one of role.options) {
    const scoped = permissionsOf(one, ['compilers']);
    expect(scoped.filter((permission) => permissions[permission].reach === 'all')).toEqual([]);
    expect(permissionsOf(one, null)).toEqual(expect.arrayContaining(scoped));
  }
  expect(permissionsOf('admin', ['compilers'])).toEqual(permissionsOf('builder', ['compilers']));
});

test('what is an admin\'s alone', () => {
  expect(all.filter((permission) => permissions[permission].least === 'admin')).toEqual(['quota:write', 'tokens:read', 'tokens:write', 'secrets:read', 'secrets:write', 'providers:write', 'webhooks:read', 'webhooks:write', 'audit:read']);
});

test('names of needs', () => {
  for (const need of [...all, 'anyone', 'signed-in']) expect(isNeed(need)).toBe(true);
  for (const other of [undefined, '', 'lease', 'toString', 'lease:write ', null, 3]) expect(isNeed(other)).toBe(false);
  expect(isAtLeast('operator', 'builder')).toBe(true);
  expect(isAtLeast('builder', 'builder')).toBe(true);
  expect(isAtLeast('viewer', 'builder')).toBe(false);
});

test('every task has a permission: whoever builds may look, the rest is for those who run the fleet', () => {
  const looks = ['ping', 'status', 'ipmi_list', 'redfish_list'];
  for (const task of jobTasks) expect([task, permissions[`jobs:${task}`].least, permissions[`jobs:${task}`].reach]).toEqual([task, looks.includes(task) ? 'builder' : 'operator', 'all']);
  expect(all.filter((permission) => permission.startsWith('jobs:')).length).toBe(jobTasks.length + 2);
});
