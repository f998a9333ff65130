export { connectBus, type BusClient } from './bus.js';
export {
  httpClient, type AsOf, type BerthHttp, type Download, type LeaseInput, type ListOptions, type LogSearch, type ReadOptions, type ServiceInput, type ServiceVerb, type TokenInput, type WriteOptions,
} from './http.js';
export type { LogOptions } from './follow.js';
export { ProblemError } from './problem.js';
export { berthHome, readCliConfig, type CliConfig } from './config.js';
export { Channel } from './channel.js';
export {
  ended, type ActionLogLine, type ActionView, type ArtifactView, type BuildHostView, type BuildLogGroup, type BuildLogLine, type BuildStatus, type BuildView, type FileView, type GenerationView, type Health, type HistoryEntry, type LeaseExplanation, type LeaseView, type LiveEvent, type LogGroup,
  type MachineView, type Page, type PlanView, type Problem, type ReportView, type StepOutcome, type StepView,
} from './api.js';
export type { BlueprintView, CapacityView, Hold, MachineTest, OrphanView, Quarantine, QuotaView, ResourceState, ResourceView, SecretView, SlotCounts } from './api-fleet.js';
export type { DeliveryView, WebhookInput, WebhookTest, WebhookView } from './api-webhooks.js';
export { auditEntry, type AuditEntry, type MeView, type NewToken, type Permission, type SignInLink, type SignInWays, type TokenView } from './api-access.js';
export {
  hardwareDocument, type HardwareDocument, type HardwareDocumentInput, type HardwareGroupView, type HardwareImport, type HardwareQuery, type HardwareView, type ImportedView, type LoanView,
} from './api-hardware.js';
export type {
  AccountView, BoardCell, CatalogEntry, CatalogEntryKind, CatalogInput, CatalogView, ChannelInput, ChannelQuery, ChannelView, DeployableView, EnvironmentView, ImageBoard, ImageBuildInput, ImageImportInput, ImageInput, ImageQuery,
  ImageVersionQuery, ImageVersionView, ImageView, LineageView, PoolView, ProviderImageView, ProviderView, RemovedView, ReplicationInput, ReplicationView, RestoreInput, RevokeInput, RollbackInput, TargetImageView, ValidTemplate, WarehouseObject,
  WarehouseQuery,
} from './api-images.js';
export type { AttemptView, JobInput, JobQuery, JobTaskView, JobTicket, JobView, WorkerParts } from './api-jobs.js';
export { checkBus } from './bus-checks.js';
export { failed, fine, runChecks, warning, type DoctorCheck } from './findings.js';
export type { DeadLetterRetry, DeadLetterView, DoctorFinding } from './api-operations.js';
export { joinSession, type SessionInput } from './live.js';
export { page, schemas, type Accepted, type ValidPlan } from './schemas.js';
export {
  usageBy, wholeList, type ArtifactQuery, type BlueprintQuery, type BuildMoment, type BuildQuery, type HistoryQuery, type LeaseQuery, type MachineQuery, type MomentView, type PageOptions, type PlanQuery, type ProjectionView, type ResourceQuery, type TimelineBucket, type TimelineView, type UsageBy, type UsageQuery, type UsageRow, type UsageTotal, type UsageView,
} from './api-lists.js';
