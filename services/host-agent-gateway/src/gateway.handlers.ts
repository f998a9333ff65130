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
}
