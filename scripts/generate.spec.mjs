import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import asyncApiSpecs from '@asyncapi/specs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, events, statusKinds, subjects } from '../libs/contracts/dist/index.js';
import { documents, staleFile } from './generate.mjs';

/** Everything that a `$ref` of a document names, with what it leads to. */
function refsIn(document) {
  const found = [];
  const open = [document];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    if (typeof node.$ref === 'string') found.push([node.$ref, node.$ref.replace(/^#\//, '').split('/').reduce((at, part) => at?.[part], document)]);
    open.push(...Object.values(node));
  }
  return found;
}

describe('the generated reference', () => {
  let files;
  let api;
  beforeAll(async () => {
    files = await documents();
    api = JSON.parse(files.find(({ file }) => file.endsWith('asyncapi.json')).text);
  });

  test('is the one in the checkout: otherwise run `npm run generate`', async () => {
    expect(await staleFile()).toBeUndefined();
  });

  test('is the same every time', async () => {
    expect(await documents()).toEqual(files);
  });

  test('every reference leads somewhere', () => {
    const refs = refsIn(api);
    expect(refs.length).toBeGreaterThan(100);
    expect(refs.filter(([, target]) => target === undefined).map(([ref]) => ref)).toEqual([]);
  });

  test('every message has a payload, and every channel, operation and message what AsyncAPI 3 asks for', () => {
    for (const [name, message] of Object.entries(api.components.messages)) expect(message, name).toMatchObject({ name, payload: expect.any(Object), contentType: expect.any(String) });
    for (const [name, channel] of Object.entries(api.channels)) {
      expect(Object.keys(channel.messages), name).not.toEqual([]);
      const inAddress = [...(channel.address ?? '').matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      expect(Object.keys(channel.parameters ?? {}), name).toEqual(inAddress);
    }
    for (const [name, operation] of Object.entries(api.operations)) {
      expect(['send', 'receive'], name).toContain(operation.action);
      for (const { $ref } of operation.messages) expect($ref, name).toContain(`${operation.channel.$ref}/messages/`);
    }
  });

  test('is AsyncAPI 3 by its own schema', () => {
    const validate = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(asyncApiSpecs.schemasWithoutId[api.asyncapi]);
    expect(validate(api), JSON.stringify(validate.errors)).toBe(true);
  });

  test('every command, every kind of events and every status has its subject', () => {
    const addresses = Object.values(api.channels).map(({ address }) => address);
    const wanted = [
      ...Object.entries(commands).flatMap(([service, types]) => Object.keys(types).map((type) => subjects.command(service, type))),
      ...Object.keys(events).map((kind) => subjects.event(kind, '{id}')),
      ...statusKinds.map((kind) => subjects.status(kind, '{id}')),
    ];
    expect(wanted.filter((address) => !addresses.includes(address))).toEqual([]);
    for (const types of Object.values(events)) for (const type of Object.keys(types)) expect(api.components.schemas, type).toHaveProperty(type);
  });

  test('what is stored has a type wherever its schema reads text', () => {
    expect(api.components.schemas.MachineAdded.properties.attributes.additionalProperties).toEqual({ type: 'string' });
  });
});

describe('a file that differs', () => {
  let root;
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('is named, and so is one that is missing', async () => {
    root = await mkdtemp(join(tmpdir(), 'berth-generate-'));
    const files = await documents();
    for (const { file, text } of files) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
    expect(await staleFile(root)).toBeUndefined();
    await writeFile(join(root, files[1].file), 'something else');
    expect(await staleFile(root)).toBe(files[1].file);
    await rm(join(root, files[0].file));
    expect(await staleFile(root)).toBe(files[0].file);
  });
});
