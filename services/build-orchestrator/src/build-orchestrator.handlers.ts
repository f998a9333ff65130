import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData, CommandType } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { BuildOrchestratorApp } from './build-orchestrator.app.js';

type Data<T extends CommandType<'build-orchestrator'>> = Command<CommandData<'build-orchestrator', T>>;

/** From the bus to the application: one line each. */
@Controller()
export class BuildOrchestratorHandlers {
  constructor(@Inject(BuildOrchestratorApp) private readonly app: BuildOrchestratorApp) {}

  @MessagePattern('ApplyPlan')
  applyPlan(command: Data<'ApplyPlan'>): Promise<Answer> {
    return this.app.applyPlan(command);
  }

  @MessagePattern('ValidatePlan')
  validatePlan(command: Data<'ValidatePlan'>): Promise<Answer> {
    return this.app.validatePlan(command);
  }

  @MessagePattern('RequestBuild')
  requestBuild(command: Data<'RequestBuild'>): Promise<Answer> {
    return this.app.requestBuild(command);
  }

  @MessagePattern('AbortBuild')
  abortBuild(command: Data<'AbortBuild'>): Promise<Answer> {
    return this.app.abortBuild(command);
  }

  @MessagePattern('PauseBuild')
  pauseBuild(command: Data<'PauseBuild'>): Promise<Answer> {
    return this.app.pauseBuild(command);
  }

  @MessagePattern('ResumeBuild')
  resumeBuild(command: Data<'ResumeBuild'>): Promise<Answer> {
    return this.app.resumeBuild(command);
  }

  @MessagePattern('RestartBuild')
  restartBuild(command: Data<'RestartBuild'>): Promise<Answer> {
    return this.app.restartBuild(command);
  }

  @MessagePattern('RerunStep')
  rerunStep(command: Data<'RerunStep'>): Promise<Answer> {
    return this.app.rerunStep(command);
  }

  @MessagePattern('SendBuildMessage')
  sendMessage(command: Data<'SendBuildMessage'>): Promise<Answer> {
    return this.app.sendMessage(command);
  }

  @MessagePattern('AddArtifact')
  addArtifact(command: Data<'AddArtifact'>): Promise<Answer> {
    return this.app.addArtifact(command);
  }

  @MessagePattern('ReleaseArtifact')
  releaseArtifact(command: Data<'ReleaseArtifact'>): Promise<Answer> {
    return this.app.releaseArtifact(command);
  }

  @MessagePattern('PinArtifact')
  pinArtifact(command: Data<'PinArtifact'>): Promise<Answer> {
    return this.app.pinArtifact(command);
  }
}
