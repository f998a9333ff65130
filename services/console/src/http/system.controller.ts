import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { schemas, type Health } from '@berth/client';
import { Needs } from '../access/needs.js';
import { READINESS, type Readiness } from './tokens.js';
import { Describe } from './describe.js';

/** The installation itself. */
@Controller()
export class SystemController {
  constructor(@Inject(READINESS) private readonly readiness: Readiness) {}

  @Get('healthz')
  @Needs('anyone')
  @Describe({ summary: 'Whether each service is ready.', answers: { 200: schemas.Health, 503: schemas.Health } })
  async health(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const services = await this.readiness();
    const ready = Object.values(services).every((service) => service.ready);
    reply.code(ready ? 200 : 503).header('Cache-Control', 'no-store');
    return { status: ready ? 'ok' : 'unavailable', services };
  }
}
