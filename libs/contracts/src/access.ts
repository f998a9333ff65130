import { z } from 'zod';
import { instant, uuid } from './scalars.js';

const letter = z.string().describe('its sequence in BERTH_DEAD');
const address = z.string().describe('where it came from');

/** What happens at the door of the HTTP API. There are no commands: the console writes what it saw. */
export const accessEvents = {
  LinkMade: z.object({ until: instant.describe('it opens nothing from then on') }).describe('A link was made that signs in once.'),
  SignedIn: z
    .object({ session: uuid, by: z.enum(['token', 'link', 'oidc']), role: z.string(), until: instant.describe('the session ends by itself then'), address })
    .describe('Somebody signed in with a browser.'),
  SignedOut: z.object({ session: uuid, until: instant.describe('when it would have ended by itself') }).describe('A session was ended; it opens nothing any more.'),
  AccessRefused: z
    .object({
      code: z.enum(['unauthorized', 'forbidden', 'rate-limited']),
      asked: z.string().describe('method and route, such as `POST /api/v1/machines`'),
      path: z.string().optional().describe('of one of them, without its query; absent when there is no such route'),
      needs: z.string().optional().describe('the permission'),
      reason: z.string(),
      address,
      count: z.number().int().positive().describe('so many since the event before of the same kind'),
    })
    .describe('Somebody was turned away. Of the same asker, route and code there is one event a minute at most.'),
  DeadLetterRetried: z
    .object({ letter, service: z.string(), type: z.string().describe('of the command'), command: z.string().nullable().describe('id of the command'), outcome: z.enum(['accepted', 'refused', 'waiting', 'gone']).describe('`waiting`: its service has not answered yet') })
    .describe('Somebody had a command that could not be carried out sent to its service once more.'),
  DeadLetterDropped: z.object({ letter, service: z.string(), type: z.string().describe('of the command') }).describe('Somebody removed a command that could not be carried out.'),
} as const;
