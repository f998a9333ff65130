// Follows everything that Berth tells: a line for each change of a machine, lease, build or anything else.
// npm install && NATS_URL=... npm start, with `natsUrl` of .berth/cli.json.
import { connect } from 'nats';

const { host, username: user, password: pass } = new URL(process.env.NATS_URL);
// Answers reach a user below its own inbox alone.
const nats = await connect({ servers: host, ...(user && { user, pass, inboxPrefix: `_INBOX.${user}` }), maxReconnectAttempts: -1 });
console.log(`listening at ${host}`);

const seen = new Map();
for await (const message of nats.subscribe('berth.status.>')) {
  const [, , kind, id] = message.subject.split('.');
  const { id: position, data } = message.json(); // a CloudEvent
  // After an outage a status may come once more.
  if (Number(position) <= (seen.get(message.subject) ?? 0)) continue;
  seen.set(message.subject, Number(position));
  console.log([kind, id, data.status, data.percent === null ? '' : `${data.percent}%`, data.activity ?? ''].filter(Boolean).join(' '));
}
