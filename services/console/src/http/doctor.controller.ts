import { Controller, Get, Inject } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { page, runChecks, schemas, type DoctorFinding, type Page } from '@berth/client';
import type { Runtime } from '@berth/runtime';
import { Needs } from '../access/needs.js';
import { busChecks } from '../doctor/bus.js';
import { databaseChecks } from '../doctor/database.js';
import { machineCheck } from '../doctor/machines.js';
import { storeChecks } from '../doctor/stores.js';
import { Hub } from '../live/hub.js';
import { Fleet } from '../views/fleet.js';
import { Projection } from '../views/projection.js';
import { Describe } from './describe.js';
import { DATABASE, READINESS, RUNTIME, type Readiness } from './tokens.js';

/** What is wrong with an installation, as far as its services see it. */
@Controller('api/v1')
export class DoctorController {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(DATABASE) private readonly database: DataSource,
    @Inject(READINESS) private readonly readiness: Readiness,
    @Inject(Projection) private readonly projection: Projection,
    @Inject(Hub) private readonly hub: Hub,
    @Inject(Fleet) private readonly fleet: Fleet,
  ) {}

  /** Always 200: that something is wrong is the answer, and no fault of the question. */
  @Get('doctor')
  @Needs('doctor:read')
  @Describe({ summary: 'Looks what is wrong with the installation, as far as its services see it; that something is wrong is an answer too.', answers: { 200: page(schemas.DoctorFinding) } })
  async look(): Promise<Page<DoctorFinding>> {
    const { runtime, fleet } = this;
    const checks = [...busChecks(runtime, this.readiness), ...databaseChecks(this.database, this.projection, this.hub), ...storeChecks(runtime, fleet), machineCheck(runtime, fleet)];
    return { items: await runChecks(checks), cursor: null };
  }
}
