import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData, CommandType } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { AllocatorApp } from './allocator.app.js';

type Of<T extends CommandType<'allocator'>> = Command<CommandData<'allocator', T>>;

/** From the bus to the application: one line each. */
@Controller()
export class AllocatorHandlers {
  constructor(@Inject(AllocatorApp) private readonly app: AllocatorApp) {}

  @MessagePattern('AddMachine')
  addMachine(command: Of<'AddMachine'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.addMachine(c));
  }

  @MessagePattern('ChangeMachine')
  changeMachine(command: Of<'ChangeMachine'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.changeMachine(c));
  }

  @MessagePattern('RemoveMachine')
  removeMachine(command: Of<'RemoveMachine'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.removeMachine(c));
  }

  @MessagePattern('SaveBlueprint')
  saveBlueprint(command: Of<'SaveBlueprint'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.catalogue.save(c));
  }

  @MessagePattern('EnableBlueprint')
  enableBlueprint(command: Of<'EnableBlueprint'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.catalogue.enable(c));
  }

  @MessagePattern('DisableBlueprint')
  disableBlueprint(command: Of<'DisableBlueprint'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.catalogue.disable(c));
  }

  @MessagePattern('RemoveBlueprint')
  removeBlueprint(command: Of<'RemoveBlueprint'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.catalogue.remove(c));
  }

  @MessagePattern('ReportHost')
  reportHost(command: Of<'ReportHost'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.reportHost(c));
  }

  @MessagePattern('QuarantineResource')
  quarantine(command: Of<'QuarantineResource'>): Promise<Answer> {
    return this.app.seen(command, this.app.operations.quarantine);
  }

  @MessagePattern('EndQuarantine')
  endQuarantine(command: Of<'EndQuarantine'>): Promise<Answer> {
    return this.app.seen(command, this.app.operations.endQuarantine);
  }

  @MessagePattern('HoldResource')
  hold(command: Of<'HoldResource'>): Promise<Answer> {
    return this.app.seen(command, this.app.operations.hold);
  }

  @MessagePattern('EndHold')
  endHold(command: Of<'EndHold'>): Promise<Answer> {
    return this.app.seen(command, this.app.operations.endHold);
  }

  @MessagePattern('DrainResource')
  drain(command: Of<'DrainResource'>): Promise<Answer> {
    return this.app.seen(command, this.app.operations.drain);
  }

  @MessagePattern('EndDrain')
  endDrain(command: Of<'EndDrain'>): Promise<Answer> {
    return this.app.seen(command, this.app.operations.endDrain);
  }

  @MessagePattern('ReleaseResource')
  releaseResource(command: Of<'ReleaseResource'>): Promise<Answer> {
    return this.app.seen(command, this.app.operations.release);
  }

  @MessagePattern('SetQuota')
  setQuota(command: Of<'SetQuota'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.room.setQuota(c));
  }

  @MessagePattern('ConsiderLease')
  considerLease(command: Of<'ConsiderLease'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.why.consider(c));
  }

  @MessagePattern('RestartService')
  restartService(command: Of<'RestartService'>): Promise<Answer> {
    return this.app.seen(command, (c) => this.app.services.restart(c));
  }
}
