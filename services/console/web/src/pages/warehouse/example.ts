/** What one begins with: accepted as it is. */
export const EXAMPLE = `# Which objects are kept a second time, and where.
name: second
description: all that runs on our servers
query: arch == "x86_64" && kind == "image"
to: { kind: folder, folder: /var/lib/images-second }   # or { kind: s3, bucket: ..., region: ... }
on: both                      # body, attributes or both: what is copied when it changes
`;
