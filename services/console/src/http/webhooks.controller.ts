import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { page, schemas, type DeliveryView, type Page, type WebhookTest, type WebhookView } from '@berth/client';
import { name as nameSchema } from '@berth/contracts';
import { Needs } from '../access/needs.js';
import { Webhooks } from '../webhooks/webhooks.js';
import { WebhooksApp } from '../webhooks/webhooks.app.js';
import { accepted, commandId, Commands } from './commands.js';
import { command, Describe } from './describe.js';
import { HttpProblem, notFound } from './problem.js';
import { objectBody } from './server.js';

/** Webhooks: where statuses are sent for those who can't listen on the bus. */
@Controller('api/v1/webhooks')
export class WebhooksController {
  constructor(
    @Inject(WebhooksApp) private readonly app: WebhooksApp,
    @Inject(Webhooks) private readonly webhooks: Webhooks,
    @Inject(Commands) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('webhooks:read')
  @Describe({ summary: 'All webhooks, by name.', answers: { 200: page(schemas.WebhookView) } })
  async list(): Promise<Page<WebhookView>> {
    return { items: await this.webhooks.list(), cursor: null };
  }

  @Get(':name')
  @Needs('webhooks:read')
  @Describe({ summary: 'One webhook.', answers: { 200: schemas.WebhookView }, problems: ['unknown-webhook'] })
  async get(@Param('name') name: string): Promise<WebhookView> {
    const webhook = await this.webhooks.get(name);
    if (!webhook) throw unknown(name);
    return webhook;
  }

  /** Saves a webhook. The answer to the first one of a name has its key, which is not shown again. */
  @Put(':name')
  @Needs('webhooks:write')
  @Describe({ summary: 'Saves a webhook. The answer has its key when the name is new.', writes: { at: '/api/v1/webhooks/:name', kind: 'webhook' }, body: command('console', 'SaveWebhook', 'name'), answers: { 201: schemas.AcceptedKey }, problems: ['limit-in-use'] })
  async save(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const body = objectBody(request);
    if (body['name'] !== undefined && body['name'] !== name) {
      const message = `is ${JSON.stringify(body['name'])}, but the path says ${JSON.stringify(name)}: leave it out or make them agree`;
      throw new HttpProblem('invalid-data', `The webhook is refused: name ${message}.`, [{ field: 'name', message }]);
    }
    const isNew = (this.app.get(name)?.status ?? 'none') === 'none';
    await this.commands.send('console', 'SaveWebhook', { ...body, name }, commandId(request));
    return accepted(reply, 201, `webhooks/${name}`, { id: name, name, ...(isNew && { key: this.webhooks.key(name) }) });
  }

  @Delete(':name')
  @Needs('webhooks:write')
  @Describe({ summary: 'Sends nothing more there.', answers: { 202: schemas.AcceptedName }, problems: ['unknown-webhook'] })
  remove(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('RemoveWebhook', name, request, reply);
  }

  @Post(':name/suspend')
  @Needs('webhooks:write')
  @Describe({ summary: 'Sends nothing for now; what happens waits.', body: command('console', 'SuspendWebhook', 'webhook'), answers: { 202: schemas.AcceptedName }, problems: ['unknown-webhook'] })
  suspend(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('SuspendWebhook', name, request, reply);
  }

  @Post(':name/resume')
  @Needs('webhooks:write')
  @Describe({ summary: 'Goes on with what waits.', body: command('console', 'ResumeWebhook', 'webhook'), answers: { 202: schemas.AcceptedName }, problems: ['unknown-webhook'] })
  resume(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.tell('ResumeWebhook', name, request, reply);
  }

  /** Signs with a new key, which is in the answer and not shown again. */
  @Post(':name/rotate-key')
  @Needs('webhooks:write')
  @Describe({ summary: 'Signs with another key, which is in the answer; for a day with the one before too.', body: command('console', 'RotateWebhookKey', 'webhook'), answers: { 202: schemas.AcceptedKey }, problems: ['unknown-webhook'] })
  async rotate(@Param('name') name: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const answer = await this.tell('RotateWebhookKey', name, request, reply);
    return { ...answer, key: this.webhooks.key(name) };
  }

  /** Sends one event that says nothing, and tells what became of it. */
  @Post(':name/test')
  @Needs('webhooks:write')
  @Describe({ summary: 'Sends one event that says nothing, at once, and tells what became of it.', answers: { 200: schemas.WebhookTest }, problems: ['unknown-webhook'] })
  @HttpCode(200)
  async test(@Param('name') name: string): Promise<WebhookTest> {
    const webhook = this.app.get(name);
    if (webhook === undefined || webhook.status === 'none') throw unknown(name);
    const { outcome, status, durationMs, ...rest } = await this.webhooks.test(name, webhook);
    return { outcome, status, durationMs, error: 'error' in rest ? rest.error : null };
  }

  @Get(':name/deliveries')
  @Needs('webhooks:read')
  @Describe({ summary: 'What was sent last, the newest first.', answers: { 200: page(schemas.DeliveryView) }, problems: ['unknown-webhook'] })
  async deliveries(@Param('name') name: string): Promise<Page<DeliveryView>> {
    if ((this.app.get(name)?.status ?? 'none') === 'none') throw unknown(name);
    return { items: await this.webhooks.attempts(name), cursor: null };
  }

  private async tell(type: 'RemoveWebhook' | 'SuspendWebhook' | 'ResumeWebhook' | 'RotateWebhookKey', webhook: string, request: FastifyRequest, reply: FastifyReply) {
    if (!nameSchema.safeParse(webhook).success) throw unknown(webhook);
    await this.commands.send('console', type, { ...objectBody(request), webhook }, commandId(request));
    return accepted(reply, 202, type === 'RemoveWebhook' ? 'webhooks' : `webhooks/${webhook}`, { id: webhook, name: webhook });
  }
}

const unknown = (name: string): HttpProblem => notFound('unknown-webhook', `webhook ${JSON.stringify(name)}`, '/api/v1/webhooks');
