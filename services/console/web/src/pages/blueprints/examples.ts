import type { BlueprintKind } from '@berth/contracts';

/** What one begins with: accepted as it is, but for the names of things elsewhere. */
export const examples: Readonly<Record<BlueprintKind, string>> = {
  preallocated: `# Hosts among the machines that were enrolled.
name: gpu-boxes
kind: preallocated
description: the machines with a graphics card
machines: { gpu: "*" }        # only those with these attributes
rank: 50                      # lower is used first
attributes: { class: gpu }    # what all of them have besides
allow: { projects: [], owners: [] }   # who may use it; both empty = everybody
`,
  local: `# The host that Berth itself runs on.
name: local
kind: local
description: the host that Berth runs on
rank: 200
slots: 2
`,
  ec2: `# Hosts that are launched on Amazon EC2 when they are asked for.
name: linux-ec2
kind: ec2
region: eu-central-1
credentials: default
image: { ami: ami-0123456789abcdef0 }
types:
  - { type: c7i.large, attributes: { cpus: 2, memory: 4GiB } }
user: ubuntu
credential: file:~/.ssh/berth-ec2
limits: { resources: 8 }
pool: { max: 8, idleTimeout: 10m }
`,
  'working-copy': `# Clones on leased hosts.
name: warm-copy
kind: working-copy
reuse: project                # never, project or anybody
keep: 5
`,
  service: `# A service that is started on a leased host.
name: postgres
kind: service
on:
  attributes: { os: linux, docker: "*" }
port: { from: 20000, to: 20999 }
start: docker run -d --rm --name "berth-$PORT" -p "$PORT:5432" postgres:16
stop: docker stop "berth-$PORT"
uri: postgres://postgres@{address}:{port}/postgres
`,
  composite: `# Several leases under one name: all of them, or none.
name: integration
kind: composite
members:
  host: { type: host, attributes: { os: linux } }
  source: { type: working-copy, on: host }
`,
};
