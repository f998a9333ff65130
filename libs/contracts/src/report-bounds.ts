/**
 * Bounds of a report, so that whatever a build leaves behind can be sent and shown. Strings are clipped to so many UTF-16 units.
 * A file of its own, exported as `@berth/contracts/report-bounds`: the thread that reads a report starts in a quarter of the
 * time without the schemas.
 */
export const reportBounds = { findings: 200, message: 1000, label: 256 } as const;
