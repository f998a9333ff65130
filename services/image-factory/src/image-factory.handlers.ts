import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Answer, CommandData, CommandType } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import { ImageFactoryApp } from './image-factory.app.js';

type Of<T extends CommandType<'image-factory'>> = Command<CommandData<'image-factory', T>>;

/** From the bus to the application: one line each. */
@Controller()
export class ImageFactoryHandlers {
  constructor(@Inject(ImageFactoryApp) private readonly app: ImageFactoryApp) {}

  @MessagePattern('SaveImage')
  saveImage(command: Of<'SaveImage'>): Promise<Answer> {
    return this.app.images.save(command);
  }

  @MessagePattern('ValidateTemplate')
  validateTemplate(command: Of<'ValidateTemplate'>): Answer {
    return this.app.images.validate(command);
  }

  @MessagePattern('RemoveImage')
  removeImage(command: Of<'RemoveImage'>): Promise<Answer> {
    return this.app.images.remove(command);
  }

  @MessagePattern('BuildImage')
  buildImage(command: Of<'BuildImage'>): Promise<Answer> {
    return this.app.images.build(command);
  }

  @MessagePattern('RebuildTarget')
  rebuildTarget(command: Of<'RebuildTarget'>): Promise<Answer> {
    return this.app.images.rebuild(command);
  }

  @MessagePattern('AbortVersion')
  abortVersion(command: Of<'AbortVersion'>): Promise<Answer> {
    return this.app.images.onVersion(command, () => ({ type: 'Abort', ...command.data }));
  }

  @MessagePattern('PushImage')
  pushImage(command: Of<'PushImage'>): Promise<Answer> {
    return this.app.images.push(command);
  }

  @MessagePattern('PushAll')
  pushAll(command: Of<'PushAll'>): Promise<Answer> {
    return this.app.images.pushAll(command);
  }

  @MessagePattern('ImportImage')
  importImage(command: Of<'ImportImage'>): Promise<Answer> {
    return this.app.images.import(command);
  }

  @MessagePattern('DeleteProviderImage')
  deleteProviderImage(command: Of<'DeleteProviderImage'>): Promise<Answer> {
    return this.app.images.deletePush(command);
  }

  @MessagePattern('DeleteTargetImage')
  deleteTargetImage(command: Of<'DeleteTargetImage'>): Promise<Answer> {
    return this.app.images.deleteTarget(command);
  }

  @MessagePattern('DeleteVersion')
  deleteVersion(command: Of<'DeleteVersion'>): Promise<Answer> {
    return this.app.images.deleteVersion(command);
  }

  @MessagePattern('SetLabels')
  setLabels(command: Of<'SetLabels'>): Promise<Answer> {
    return this.app.images.onVersion(command, () => ({ type: 'SetLabels', ...command.data }));
  }

  @MessagePattern('SetAttributes')
  setAttributes(command: Of<'SetAttributes'>): Promise<Answer> {
    return this.app.images.onVersion(command, () => ({ type: 'SetAttributes', ...command.data }));
  }

  @MessagePattern('MarkVersion')
  markVersion(command: Of<'MarkVersion'>): Promise<Answer> {
    return this.app.images.onVersion(command, () => ({ type: 'Mark', ...command.data }));
  }

  @MessagePattern('RevokeVersion')
  revokeVersion(command: Of<'RevokeVersion'>): Promise<Answer> {
    const now = new Date().toISOString();
    const { version, at = now, reason, cascade } = command.data;
    return this.app.images.onVersion(command, () => ({ type: 'Revoke', version, at, now, reason, cascade }));
  }

  @MessagePattern('RestoreVersion')
  restoreVersion(command: Of<'RestoreVersion'>): Promise<Answer> {
    return this.app.images.onVersion(command, () => ({ type: 'Restore', ...command.data }));
  }

  @MessagePattern('SaveChannel')
  saveChannel(command: Of<'SaveChannel'>): Promise<Answer> {
    return this.app.images.saveChannel(command);
  }

  @MessagePattern('RemoveChannel')
  removeChannel(command: Of<'RemoveChannel'>): Promise<Answer> {
    return this.app.images.removeChannel(command);
  }

  @MessagePattern('AssignChannel')
  assignChannel(command: Of<'AssignChannel'>): Promise<Answer> {
    return this.app.images.assign(command);
  }

  @MessagePattern('RollbackChannel')
  rollbackChannel(command: Of<'RollbackChannel'>): Promise<Answer> {
    return this.app.images.rollBack(command);
  }

  @MessagePattern('SaveProvider')
  saveProvider(command: Of<'SaveProvider'>): Promise<Answer> {
    return this.app.catalogue.save('provider', command);
  }

  @MessagePattern('SaveAccount')
  saveAccount(command: Of<'SaveAccount'>): Promise<Answer> {
    return this.app.catalogue.save('account', command);
  }

  @MessagePattern('SaveEnvironment')
  saveEnvironment(command: Of<'SaveEnvironment'>): Promise<Answer> {
    return this.app.catalogue.save('environment', command);
  }

  @MessagePattern('SavePool')
  savePool(command: Of<'SavePool'>): Promise<Answer> {
    return this.app.catalogue.save('pool', command);
  }

  @MessagePattern('SaveCatalog')
  saveCatalog(command: Of<'SaveCatalog'>): Promise<Answer> {
    return this.app.catalogue.save('catalog', command);
  }

  @MessagePattern('SaveDeployable')
  saveDeployable(command: Of<'SaveDeployable'>): Promise<Answer> {
    return this.app.catalogue.save('deployable', command);
  }

  @MessagePattern('RemoveCatalogEntry')
  removeCatalogEntry(command: Of<'RemoveCatalogEntry'>): Promise<Answer> {
    return this.app.catalogue.remove(command);
  }

  @MessagePattern('SaveReplicationPolicy')
  saveReplicationPolicy(command: Of<'SaveReplicationPolicy'>): Promise<Answer> {
    return this.app.replications.save(command);
  }

  @MessagePattern('RemoveReplicationPolicy')
  removeReplicationPolicy(command: Of<'RemoveReplicationPolicy'>): Promise<Answer> {
    return this.app.replications.remove(command);
  }

  @MessagePattern('CheckReplication')
  checkReplication(command: Of<'CheckReplication'>): Promise<Answer> {
    return this.app.replications.check(command);
  }
}
