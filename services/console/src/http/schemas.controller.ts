import { Controller, Get } from '@nestjs/common';
import { planDocument } from '@berth/contracts';
import { Needs } from '../access/needs.js';

/** Made once: it never changes while the process runs. */
const plan = planDocument();

/** JSON Schemas of what people write by hand, for editors. */
@Controller('api/v1/schemas')
export class SchemasController {
  @Get('plan.json')
  @Needs('plan:read')
  plan(): Record<string, unknown> {
    return plan;
  }
}
