import { Controller, Get } from '@nestjs/common';
import { planDocument } from '@berth/contracts';
import { z } from 'zod';
import { Needs } from '../access/needs.js';
import { Describe } from './describe.js';

/** Made once: it never changes while the process runs. */
const plan = planDocument();

/** JSON Schemas of what people write by hand, for editors. */
@Controller('api/v1/schemas')
export class SchemasController {
  @Get('plan.json')
  @Needs('plan:read')
  @Describe({ summary: 'JSON Schema of plans, for editors.', answers: { 200: z.record(z.string(), z.unknown()) } })
  plan(): Record<string, unknown> {
    return plan;
  }
}
