import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Runtime } from '@berth/runtime';
import { Needs } from '../access/needs.js';
import { Describe } from './describe.js';
import { RUNTIME } from './tokens.js';

const PATH = '/metrics';

/** Metrics of the process, and of all of Berth as the console sees it. */
@Controller()
export class MetricsController {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  /** Prometheus shows a token as every scrape with `authorization` does. */
  @Get(PATH)
  @Needs('metrics:read')
  @Describe({ summary: 'Metrics, as Prometheus reads them.', answers: { 200: { types: ['text/plain', 'application/openmetrics-text'], what: 'the format of Prometheus, version 0.0.4; of OpenMetrics, version 1.0.0, for whoever would rather have that' } } })
  async metrics(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { contentType, body } = await this.runtime.metrics.text(request.headers.accept);
    // As bytes: as text its type would be written anew.
    await reply.header('Content-Type', contentType).header('Cache-Control', 'no-store').header('Vary', 'Accept').send(Buffer.from(body));
  }
}

/** Lets everybody read metrics, where BERTH_METRICS_OPEN says so. Called before the door looks what each route needs. */
export function openMetrics(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (route.url === PATH) route.config = { ...route.config, needs: 'anyone' };
  });
}
