import { answer, commandEnvelope, commands, commitSchema, events, jsonSchema, outputHeaders, statusEvent, statusKinds, subjects, writers } from '../../libs/contracts/dist/index.js';
import { MADE } from './markdown.mjs';

/** Kinds whose things people name. */
const NAMED = new Set(['machine', 'blueprint', 'fleet', 'plan', 'token', 'webhook', 'hardware', 'hardware-group', 'image', 'catalog', 'replication']);

/** The bus for programs, as AsyncAPI 3.0. */
export function asyncapi(version) {
  const channels = {};
  const operations = {};
  const messages = {};
  const schemas = { Answer: jsonSchema(answer, 'output') };
  const ref = (path) => ({ $ref: `#/${path}` });
  /** A channel with its messages, each of which is named once for all channels. */
  const channel = (name, address, description, own, parameters) => {
    channels[name] = {
      address,
      description,
      ...(parameters && { parameters: Object.fromEntries(Object.entries(parameters).map(([key, text]) => [key, { description: text }])) }),
      messages: Object.fromEntries(own.map((message) => [message, ref(`components/messages/${message}`)])),
    };
  };
  const message = (name, summary, payload, more = {}) => {
    messages[name] = { name, summary, contentType: 'application/json', ...more, payload };
  };
  const operation = (name, action, of, own, more = {}) => {
    operations[name] = { action, channel: ref(`channels/${of}`), ...more, messages: own.map((one) => ref(`channels/${of}/messages/${one}`)) };
  };

  message('Answer', 'What a command is answered with on its reply subject.', ref('components/schemas/Answer'));
  channel('answer', null, 'The reply subject of whoever asks.', ['Answer']);
  for (const [service, types] of Object.entries(commands)) {
    for (const [type, schema] of Object.entries(types)) {
      schemas[type] = jsonSchema(schema, 'input');
      const envelope = jsonSchema(commandEnvelope, 'input');
      const payload = { ...envelope, properties: { ...envelope.properties, type: { ...envelope.properties.type, const: type }, data: ref(`components/schemas/${type}`) } };
      message(type, schemas[type].description, payload);
      channel(type, subjects.command(service, type), `Command of ${service}.`, [type]);
      operation(`receive${type}`, 'receive', type, [type], { reply: { channel: ref('channels/answer'), messages: [ref('channels/answer/messages/Answer')] } });
    }
  }
  for (const [kind, types] of Object.entries(events)) {
    for (const [type, schema] of Object.entries(types)) schemas[type] = jsonSchema(schema, 'output');
    const commit = jsonSchema(commitSchema, 'output');
    const items = { oneOf: Object.keys(types).map((type) => ({ type: 'object', properties: { type: { const: type }, data: ref(`components/schemas/${type}`) }, required: ['type', 'data'] })) };
    const name = `${kind}Commit`;
    message(name, `What one decision wrote to a ${kind}: one or more events.`, { ...commit, properties: { ...commit.properties, events: { ...commit.properties.events, items } } });
    channel(`${kind}Events`, subjects.event(kind, '{id}'), `Events of one ${kind}, written by ${writers[kind]} alone. Internal truth: it may grow.`, [name], { id: NAMED.has(kind) ? 'its name' : 'its UUID' });
    operation(`send${capital(kind)}Events`, 'send', `${kind}Events`, [name]);
  }
  const text = (description) => ({ type: 'string', description });
  message('OutputChunk', 'Raw bytes that a command printed, at most 64 KiB.', { description: 'raw bytes' }, {
    contentType: 'application/octet-stream',
    headers: {
      type: 'object',
      properties: {
        [outputHeaders.stream]: { enum: ['stdout', 'stderr'], description: 'which of the two' },
        [outputHeaders.offset]: text('where in its stream the first byte stands'),
        [outputHeaders.reached]: text('how far both have come after this chunk: <stdout bytes>,<stderr bytes>'),
        [outputHeaders.cut]: text('of an empty chunk: so many bytes were left out from its offset on, because there were more than are kept'),
        [outputHeaders.time]: text('when the gateway read it, RFC 3339'),
      },
      required: [outputHeaders.stream, outputHeaders.offset, outputHeaders.reached, outputHeaders.time],
    },
  });
  channel('output', subjects.output('{action}'), 'What a command prints. A chunk may be stored twice after a crash: what stands at an offset reached before is known already.', ['OutputChunk'], { action: 'id of the action' });
  operation('sendOutput', 'send', 'output', ['OutputChunk']);
  message('LiveFrame', 'A frame of a live session, at most 64 KiB: a byte that says what it is, its number, and what it carries. See http.md.', { description: 'raw bytes' }, { contentType: 'application/octet-stream' });
  for (const [way, what] of [['up', 'To the host'], ['down', 'From the host']]) {
    channel(`live${capital(way)}`, subjects.live('{action}', '{channel}', way), `${what}: what goes through a terminal or a forward. Kept nowhere.`, ['LiveFrame'], { action: 'id of the action', channel: 'one for each who joins' });
  }
  operation('receiveLive', 'receive', 'liveUp', ['LiveFrame']);
  operation('sendLive', 'send', 'liveDown', ['LiveFrame']);
  schemas.Status = jsonSchema(statusEvent, 'output');
  message('Status', 'The present state of one thing, as a CloudEvent 1.0.', ref('components/schemas/Status'), { contentType: 'application/cloudevents+json' });
  for (const kind of statusKinds) {
    channel(`${kind}Status`, subjects.status(kind, '{id}'), `State of one ${kind}; the last one is kept.`, ['Status'], { id: NAMED.has(kind) ? 'its name' : 'its UUID' });
    operation(`send${capital(kind)}Status`, 'send', `${kind}Status`, ['Status']);
  }
  message('DeadLetter', 'A command that could not be read or carried out, as it came.', { description: 'what was sent, whatever it was' }, {
    contentType: 'application/octet-stream',
    headers: { type: 'object', properties: { 'Berth-Reason': text('why'), 'Berth-Subject': text('where it was sent'), 'Berth-Tries': text('how often it was tried') }, required: ['Berth-Reason', 'Berth-Subject'] },
  });
  channel('dead', subjects.dead('{service}', '{type}'), 'Dead letters.', ['DeadLetter'], { service: 'the service that gave up', type: 'last part of the subject' });
  operation('sendDead', 'send', 'dead', ['DeadLetter']);

  return {
    asyncapi: '3.0.0',
    info: { title: 'Berth', version, description: `The bus of Berth, on NATS JetStream. ${MADE}`, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: { messages, schemas },
  };
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);
