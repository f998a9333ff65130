import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { BuildOrchestratorApp } from './build-orchestrator.app.js';

type Data<T extends 'ApplyPlan' | 'RequestBuild' | 'AbortBuild'> = Command<CommandData<'build-orchestrator', T>>;

/** From the bus to the application: one line each. */
@Controller()
export class BuildOrchestratorHandlers {
  constructor(@Inject(BuildOrchestratorApp) private readonly app: BuildOrchestratorApp) {}

  @MessagePattern('ApplyPlan')
  applyPlan(command: Data<'ApplyPlan'>): Promise<Answer> {
    return this.app.applyPlan(command);
  }

  @MessagePattern('RequestBuild')
  requestBuild(command: Data<'RequestBuild'>): Promise<Answer> {
    return this.app.requestBuild(command);
  }

  @MessagePattern('AbortBuild')
  abortBuild(command: Data<'AbortBuild'>): Promise<Answer> {
    return this.app.abortBuild(command);
  }
}
