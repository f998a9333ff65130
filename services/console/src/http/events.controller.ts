import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ActionView, HistoryEntry, Page } from '@berth/client';
import { writers } from '@berth/contracts';
import type { Runtime } from '@berth/runtime';
import { Needs } from '../access/needs.js';
import { Scope } from '../access/scope.js';
import { History } from '../live/history.js';
import { Hub } from '../live/hub.js';
import { pour } from '../live/pour.js';
import { liveEvents, placeOf } from '../live/sse.js';
import { actionView } from '../views/action.js';
import { Reads } from '../views/reads.js';
import { accepted, commandId, Commands } from './commands.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody, queryText } from './server.js';
import { RUNTIME } from './tokens.js';

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
  async events(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const last = request.headers['last-event-id'];
    const after = (typeof last === 'string' && last !== '' ? last : undefined) ?? queryText(request, 'after');
    const place = after === undefined ? undefined : placeOf(after);
    if (after !== undefined && !place) throw new HttpProblem('invalid-data', 'The query is refused: after is not the id of an event.', [{ field: 'after', message: 'use an id of the feed, such as 123' }]);
    const kinds = setOf(queryText(request, 'kinds'));
    const unknown = [...kinds].find((kind) => !Object.hasOwn(writers, kind));
    if (unknown !== undefined) throw new HttpProblem('invalid-data', `The query is refused: there is no kind ${JSON.stringify(unknown)}.`, [{ field: 'kinds', message: `use ${Object.keys(writers).join(', ')}` }]);
    const wanted = { kinds, ids: setOf(queryText(request, 'ids')) };
    const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' };
    await pour(reply, headers, (signal) => liveEvents(this.runtime.connection, this.hub, place, wanted, signal, (recorded) => this.scope.mayRead(request.principal!, recorded)), this.runtime.log);
  }

  @Get('history/:id')
  @Needs('event:read')
  async history(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Page<HistoryEntry>> {
    // Anything else can't be part of a subject, so nothing has that id.
    const items = /^[A-Za-z0-9_-]{1,64}$/.test(id) ? await this.histories.of(id, (recorded) => this.scope.mayRead(request.principal!, recorded)) : [];
    if (items.length === 0) throw new HttpProblem('not-found', `Nothing has the id ${JSON.stringify(id)}: give that of a build, lease, action, resource, machine, blueprint or plan.`, [{ field: 'id', message: 'is not known' }]);
    return { items, cursor: null };
  }

  @Get('actions/:id')
  @Needs('lease:read')
  async action(@Param('id') id: string): Promise<ActionView> {
    const row = await this.reads.action(id);
    if (!row) throw notFound('unknown-action', `action ${JSON.stringify(id)}`, 'the history of its lease');
    return actionView(row);
  }

  @Post('actions/:id/cancel')
  @Needs('lease:exec')
  async cancel(@Param('id') action: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    await this.commands.send('host-agent-gateway', 'CancelAction', { ...objectBody(request), action }, commandId(request));
    return accepted(reply, 202, `actions/${action}`, { id: action });
  }
}

const setOf = (list: string | undefined): Set<string> => new Set(list?.split(',').filter((part) => part !== ''));
