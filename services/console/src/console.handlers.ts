import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { ConsoleApp } from './console.app.js';

type Data<T extends 'CreateToken' | 'RevokeToken'> = Command<CommandData<'console', T>>;

/** From the bus to the application: one line each. */
@Controller()
export class ConsoleHandlers {
  constructor(@Inject(ConsoleApp) private readonly app: ConsoleApp) {}

  @MessagePattern('CreateToken')
  createToken(command: Data<'CreateToken'>): Promise<Answer> {
    return this.app.createToken(command);
  }

  @MessagePattern('RevokeToken')
  revokeToken(command: Data<'RevokeToken'>): Promise<Answer> {
    return this.app.revokeToken(command);
  }
}
