import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { LeaseApp } from './lease.app.js';

type Data<T extends 'RequestLease' | 'RenewLease' | 'BeatLease' | 'ChangePriority' | 'ReleaseLease' | 'EvictLease' | 'ExplainLease' | 'RefuseLease'> = Command<CommandData<'lease', T>>;

/** From the bus to the application: one line each. */
@Controller()
export class LeaseHandlers {
  constructor(@Inject(LeaseApp) private readonly app: LeaseApp) {}

  @MessagePattern('RequestLease')
  request(command: Data<'RequestLease'>): Promise<Answer> {
    return this.app.request(command);
  }

  @MessagePattern('RenewLease')
  renew(command: Data<'RenewLease'>): Promise<Answer> {
    return this.app.renew(command);
  }

  @MessagePattern('BeatLease')
  beat(command: Data<'BeatLease'>): Promise<Answer> {
    return this.app.beat(command);
  }

  @MessagePattern('ChangePriority')
  changePriority(command: Data<'ChangePriority'>): Promise<Answer> {
    return this.app.changePriority(command);
  }

  @MessagePattern('ReleaseLease')
  release(command: Data<'ReleaseLease'>): Promise<Answer> {
    return this.app.release(command);
  }

  @MessagePattern('EvictLease')
  evict(command: Data<'EvictLease'>): Promise<Answer> {
    return this.app.evict(command);
  }

  @MessagePattern('ExplainLease')
  explain(command: Data<'ExplainLease'>): Promise<Answer> {
    return this.app.explain(command);
  }

  @MessagePattern('RefuseLease')
  refuse(command: Data<'RefuseLease'>): Promise<Answer> {
    return this.app.refuse(command);
  }
}
