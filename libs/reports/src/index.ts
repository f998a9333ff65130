export { reportFormats, type ReportFormat, type Report, type Finding } from '@berth/contracts';
export { readReport } from './read.js';
export { mergeReports } from './merge.js';
export { ReportFault } from './fault.js';
export { defaultLimits, type ReportLimits } from './limits.js';
