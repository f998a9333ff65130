import { z } from 'zod';
import {
  actionLogLine, actionView, artifactView, buildHostView, buildLogGroup, buildLogLine, buildView, fileView, generationView, health, historyEntry, leaseExplanation, leaseView, liveEvent, logGroup, machineView, page,
  planView, problem, reportView, stepView,
} from './api.js';
import { blueprintView, capacityView, hold, machineTest, orphanView, quarantine, quotaView, resourceView, secretView, slotCounts } from './api-fleet.js';
import { buildMoment, momentView, projectionView, timelineBucket, timelineView, usageRow, usageTotal, usageView } from './api-lists.js';
import { auditEntry, meView, newToken, signInLink, signInWays, tokenView } from './api-access.js';
import { deadLetterRetry, deadLetterView, doctorFinding } from './api-operations.js';
import { hardwareDocument, hardwareGroupView, hardwareImport, hardwareView, importedView, loanView } from './api-hardware.js';
import { attemptView, detail, fieldMessages, jobTaskView, jobTicket, jobView, liveJob, workerMissing } from './api-jobs.js';
import { accountView, boardCell, catalogView, channelView, deployableView, environmentView, imageBoard, imageVersionView, imageView, lineageView, poolView, providerImageView, providerView, removedView, replicationView, targetImageView, validTemplate, warehouseObject } from './api-images.js';
import { deliveryView, webhookTest, webhookView } from './api-webhooks.js';

/** What a write is answered with. */
export const accepted = z
  .object({
    id: z.string().describe('of what it made or changed'),
    position: z.int().optional().describe('in BERTH_EVENTS, of what it wrote: give it as `after` to a read that has to show it. Absent when it wrote nothing'),
    settled: z.boolean().optional().describe('with `wait`: whether it came to rest in that time'),
    status: z.string().optional().describe('with `wait`: how it is then'),
  })
  .describe('What a write is answered with.');
export type Accepted = z.infer<typeof accepted>;

/** The same of what people name. */
export const acceptedName = accepted.extend({ name: z.string() });
/** The same of what concerns all secrets. */
export const acceptedSecrets = accepted.extend({ secrets: z.int().describe('so many were encrypted anew') });
/** The same of what signs with a key. */
export const acceptedKey = acceptedName.extend({ key: z.string().optional().describe('that it signs with; shown when it is made, and never again') });
/** The same of what is saved in versions. */
export const acceptedVersion = acceptedName.extend({ version: z.int().nullable().describe('null: not shown yet') });

/** What reading a plan finds when nothing is wrong with it. */
export const validPlan = z.object({ name: z.string(), steps: z.array(z.object({ id: z.string(), name: z.string() })) }).describe('A plan that can be saved.');
export type ValidPlan = z.infer<typeof validPlan>;

/** Every shape that the HTTP API answers with, under the name it has in its document. */
export const schemas = {
  Accepted: accepted, AcceptedName: acceptedName, AcceptedVersion: acceptedVersion, Problem: problem, Health: health, MachineView: machineView, MachineTest: machineTest, BlueprintView: blueprintView, ResourceView: resourceView,
  SlotCounts: slotCounts, Quarantine: quarantine, Hold: hold, CapacityView: capacityView, QuotaView: quotaView, OrphanView: orphanView, LeaseView: leaseView, LeaseExplanation: leaseExplanation,
  PlanView: planView, ValidPlan: validPlan, BuildView: buildView, BuildHostView: buildHostView, GenerationView: generationView, StepView: stepView, ReportView: reportView, ArtifactView: artifactView,
  MeView: meView, TokenView: tokenView, NewToken: newToken, SignInLink: signInLink, SignInWays: signInWays, AuditEntry: auditEntry, SecretView: secretView, AcceptedSecrets: acceptedSecrets, WebhookView: webhookView, WebhookTest: webhookTest, DeliveryView: deliveryView, DeadLetterView: deadLetterView, DeadLetterRetry: deadLetterRetry, DoctorFinding: doctorFinding, AcceptedKey: acceptedKey, ActionView: actionView, ActionLogLine: actionLogLine, BuildLogLine: buildLogLine, LogGroup: logGroup, BuildLogGroup: buildLogGroup, FileView: fileView, HistoryEntry: historyEntry, LiveEvent: liveEvent,
  ProjectionView: projectionView, UsageRow: usageRow, UsageTotal: usageTotal, UsageView: usageView, TimelineBucket: timelineBucket, TimelineView: timelineView, BuildMoment: buildMoment, MomentView: momentView,
  JobView: jobView, AttemptView: attemptView, JobTaskView: jobTaskView, JobTicket: jobTicket, FieldMessages: fieldMessages, Detail: detail, LiveJob: liveJob, WorkerMissing: workerMissing,
  HardwareView: hardwareView, LoanView: loanView, HardwareGroupView: hardwareGroupView, HardwareDocument: hardwareDocument, HardwareImport: hardwareImport, ImportedView: importedView,
  ImageView: imageView, ImageVersionView: imageVersionView, TargetImageView: targetImageView, ProviderImageView: providerImageView, ChannelView: channelView, ImageBoard: imageBoard, BoardCell: boardCell, CatalogView: catalogView,
  DeployableView: deployableView, ProviderView: providerView, AccountView: accountView, EnvironmentView: environmentView, PoolView: poolView, LineageView: lineageView, WarehouseObject: warehouseObject, ReplicationView: replicationView,
  RemovedView: removedView, ValidTemplate: validTemplate,
} as const satisfies Record<string, z.ZodType>;

export { page };
