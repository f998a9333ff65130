import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type ActionView, type HistoryEntry, type Page } from '@berth/client';
import { writers } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { Needs } from '../access/needs.js';
import { Scope } from '../access/scope.js';
import { History } from '../live/history.js';
import { Hub } from '../live/hub.js';
import { pour } from '../live/pour.js';
import { liveEvents } from '../live/sse.js';
import { actionView } from '../views/action.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { historyList, placed } from './memory-lists.js';
import { lastEvent } from './last-event.js';
import { listQuery, memoryForm, memoryPage } from './paging.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody } from './server.js';
import { RUNTIME } from './tokens.js';
import { z } from 'zod';
import { command, Describe, settles } from './describe.js';
import * as parameters from './parameters.js';

const historyForm = memoryForm(historyList);

/** What happens and happened. */
@Controller('api/v1')
export class EventsController {
  constructor(
    @Inject(Reads) private readonly reads: Reads,
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Hub) private readonly hub: Hub,
    @Inject(History) private readonly histories: History,
    @Inject(Scope) private readonly scope: Scope,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  @Get('events')
  @Needs('event:read')
  @Describe({
    summary: 'What happens, as server-sent events; `Last-Event-ID` or `after` says where to go on.',
    query: { kinds: parameters.some(Object.keys(writers), 'kinds'), ids: z.array(z.string()).describe('ids, with commas between'), after: z.string().regex(/^\d{1,15}(\.\d{1,6})?$/).describe('id of the last event that is known; 0 begins with the first') },
    answers: { 200: { types: ['text/event-stream'], what: 'each `data` is one event', schema: schemas.LiveEvent } },
  })
  async events(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const place = lastEvent(request);
    const kinds = setOf(request, 'kinds');
    const unknown = [...kinds].find((kind) => !Object.hasOwn(writers, kind));
    if (unknown !== undefined) throw new HttpProblem('invalid-data', `The query is refused: there is no kind ${JSON.stringify(unknown)}.`, [{ field: 'kinds', message: `use ${Object.keys(writers).join(', ')}` }]);
    const wanted = { kinds, ids: setOf(request, 'ids') };
    const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' };
    await pour(reply, headers, (signal) => liveEvents(this.runtime.connection, this.hub, place, wanted, signal, (recorded) => this.scope.mayRead(request.principal!, recorded)), this.runtime.log);
  }

  @Get('history/:id')
  @Needs('event:read')
  @Describe({
    summary: 'Every event of the thing with that id, in order unless another one is asked for; of a build also those of what it used.', query: parameters.ofList(historyForm), answers: { 200: page(schemas.HistoryEntry) },
    problems: ['not-found'],
  })
  async history(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Page<HistoryEntry>> {
    const query = listQuery(request, historyForm);
    // Anything else can't be part of a subject, so nothing has that id.
    const items = /^[A-Za-z0-9_-]{1,64}$/.test(id) ? await this.histories.of(id, (recorded) => this.scope.mayRead(request.principal!, recorded)) : [];
    if (items.length === 0) throw new HttpProblem('not-found', `Nothing has the id ${JSON.stringify(id)}: give that of a build, lease, action, resource, machine, blueprint or plan.`, [{ field: 'id', message: 'is not known' }]);
    const page = memoryPage(placed(items), historyList, query);
    return { ...page, items: page.items.map(({ entry }) => entry) };
  }

  @Get('actions/:id')
  @Needs('lease:read')
  @Describe({ summary: 'One thing done on a host.', answers: { 200: schemas.ActionView }, problems: ['unknown-action'], shows: { kinds: ['action'], one: 'id' } })
  async action(@Param('id') id: string): Promise<ActionView> {
    const row = await this.reads.action(id);
    if (!row) throw notFound('unknown-action', `action ${JSON.stringify(id)}`, 'the history of its lease');
    return actionView(row);
  }

  /** Answered before it comes here when it is what it should be: a request to become a WebSocket. */
  @Get('actions/:id/live')
  @Needs('lease:terminal')
  @Describe({
    summary: 'Joins a terminal or a forward over WebSocket; its messages are told of in the HTTP reference.', answers: { 101: 'It is a WebSocket from now on.' },
    problems: ['upgrade-required', 'unknown-action', 'session-ended', 'too-many-sessions', 'not-allowed'],
  })
  live(): never {
    throw new HttpProblem('upgrade-required', 'A terminal or a forward is joined over WebSocket: ask for the upgrade.');
  }

  @Post('actions/:id/cancel')
  @Needs('lease:exec')
  @Describe({ summary: 'Ends an action with everything it has started.', body: command('host-agent-gateway', 'CancelAction', 'action'), answers: { 202: schemas.Accepted }, settles: settles.action, problems: ['unknown-action'] })
  async cancel(@Param('id') action: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('host-agent-gateway', 'CancelAction', { ...objectBody(request), action }, commandId(request));
    return accepted(reply, 202, `actions/${action}`, { id: action });
  }
}

/** With commas between, or the parameter several times. */
function setOf(request: FastifyRequest, name: string): Set<string> {
  const { [name]: given } = request.query as Record<string, string | string[] | undefined>;
  return new Set([given ?? []].flat().flatMap((list) => list.split(',')).filter((part) => part !== ''));
}
