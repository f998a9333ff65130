import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { GatewayApp } from './gateway.app.js';

/** From the bus to the application: one line each. */
@Controller()
export class GatewayHandlers {
  constructor(@Inject(GatewayApp) private readonly app: GatewayApp) {}

  @MessagePattern('RunAction')
  run(command: Command<CommandData<'host-agent-gateway', 'RunAction'>>): Promise<Answer> {
    return this.app.run(command);
  }

  @MessagePattern('CancelAction')
  cancel(command: Command<CommandData<'host-agent-gateway', 'CancelAction'>>): Promise<Answer> {
    return this.app.cancel(command);
  }

  @MessagePattern('ProbeHost')
  probe(command: Command<CommandData<'host-agent-gateway', 'ProbeHost'>>): Promise<Answer> {
    return this.app.looks.probe(command);
  }

  @MessagePattern('ListFolders')
  listFolders(command: Command<CommandData<'host-agent-gateway', 'ListFolders'>>): Promise<Answer> {
    return this.app.looks.list(command);
  }

  @MessagePattern('RemoveFolders')
  removeFolders(command: Command<CommandData<'host-agent-gateway', 'RemoveFolders'>>): Promise<Answer> {
    return this.app.looks.remove(command);
  }

  @MessagePattern('ListFiles')
  listFiles(command: Command<CommandData<'host-agent-gateway', 'ListFiles'>>): Promise<Answer> {
    return this.app.files.list(command);
  }

  @MessagePattern('StatFile')
  statFile(command: Command<CommandData<'host-agent-gateway', 'StatFile'>>): Promise<Answer> {
    return this.app.files.stat(command);
  }

  @MessagePattern('SealingKey')
  sealingKey(command: Command<CommandData<'host-agent-gateway', 'SealingKey'>>): Promise<Answer> {
    return this.app.secrets.sealingKey(command);
  }

  @MessagePattern('SetSecret')
  setSecret(command: Command<CommandData<'host-agent-gateway', 'SetSecret'>>): Promise<Answer> {
    return this.app.secrets.set(command);
  }

  @MessagePattern('RemoveSecret')
  removeSecret(command: Command<CommandData<'host-agent-gateway', 'RemoveSecret'>>): Promise<Answer> {
    return this.app.secrets.remove(command);
  }

  @MessagePattern('RotateSecrets')
  rotateSecrets(command: Command<CommandData<'host-agent-gateway', 'RotateSecrets'>>): Promise<Answer> {
    return this.app.secrets.rotate(command);
  }

  @MessagePattern('SendRequest')
  sendRequest(command: Command<CommandData<'host-agent-gateway', 'SendRequest'>>): Promise<Answer> {
    return this.app.requests.send(command);
  }

  @MessagePattern('RequestJob')
  requestJob(command: Command<CommandData<'host-agent-gateway', 'RequestJob'>>): Promise<Answer> {
    return this.app.jobs.request(command);
  }

  @MessagePattern('CancelJob')
  cancelJob(command: Command<CommandData<'host-agent-gateway', 'CancelJob'>>): Promise<Answer> {
    return this.app.jobs.cancel(command);
  }

  @MessagePattern('ReportInstalled')
  reportInstalled(command: Command<CommandData<'host-agent-gateway', 'ReportInstalled'>>): Promise<Answer> {
    return this.app.jobs.reportInstalled(command);
  }

  @MessagePattern('SetHardware')
  setHardware(command: Command<CommandData<'host-agent-gateway', 'SetHardware'>>): Promise<Answer> {
    return this.app.jobs.setHardware(command);
  }

  @MessagePattern('RemoveHardware')
  removeHardware(command: Command<CommandData<'host-agent-gateway', 'RemoveHardware'>>): Promise<Answer> {
    return this.app.jobs.removeHardware(command);
  }

  @MessagePattern('SetHardwareGroup')
  setHardwareGroup(command: Command<CommandData<'host-agent-gateway', 'SetHardwareGroup'>>): Promise<Answer> {
    return this.app.jobs.setGroup(command);
  }

  @MessagePattern('RemoveHardwareGroup')
  removeHardwareGroup(command: Command<CommandData<'host-agent-gateway', 'RemoveHardwareGroup'>>): Promise<Answer> {
    return this.app.jobs.removeGroup(command);
  }

  @MessagePattern('CompleteLoanStep')
  completeLoanStep(command: Command<CommandData<'host-agent-gateway', 'CompleteLoanStep'>>): Promise<Answer> {
    return this.app.jobs.completeLoanStep(command);
  }
}
