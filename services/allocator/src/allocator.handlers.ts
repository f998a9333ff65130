import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { AllocatorApp } from './allocator.app.js';

/** From the bus to the application: one line each. */
@Controller()
export class AllocatorHandlers {
  constructor(@Inject(AllocatorApp) private readonly app: AllocatorApp) {}

  @MessagePattern('AddMachine')
  addMachine(command: Command<CommandData<'allocator', 'AddMachine'>>): Promise<Answer> {
    return this.app.addMachine(command);
  }

  @MessagePattern('RemoveMachine')
  removeMachine(command: Command<CommandData<'allocator', 'RemoveMachine'>>): Promise<Answer> {
    return this.app.removeMachine(command);
  }

  @MessagePattern('ReportHost')
  reportHost(command: Command<CommandData<'allocator', 'ReportHost'>>): Promise<Answer> {
    return this.app.reportHost(command);
  }
}
