import type { BlueprintKind } from '@berth/contracts';

/** An example of each kind, which is accepted as it is. What is commented out shows what else there is. */
export const blueprintExamples: Readonly<Record<BlueprintKind, string>> = {
  preallocated: `# Hosts among the machines that were enrolled with \`berth machine add\`.
name: gpu-boxes
kind: preallocated
description: the machines with a graphics card
# Only machines with these attributes. Of several blueprints that fit a machine, the one with the lowest rank has it.
machines: { gpu: "*" }
rank: 50
# What all of them have, beside what each machine says and what was found on it.
attributes: { class: gpu }
# slots: 2                      # per host, whatever the machine says
# allow: { projects: [graphics], owners: [ada] }   # who may use it; both empty = everybody
# limits: { leases: 10, leasesPerOwner: 2 }
# folders: { linux: /srv/berth }                   # where the machine names none
# Run on each host; three failures in a row, and it is quarantined.
health:
  command: nvidia-smi > /dev/null
  every: 5m
  timeout: 20s
  failures: 3
`,
  local: `# The host that Berth itself runs on, without SSH. Saved under the name of the one that is built in, it replaces that.
name: local
kind: local
description: the host that Berth runs on
# Higher than the others: used last.
rank: 200
slots: 2                        # one per CPU when absent
# attributes: { class: small }
# allow: { owners: [ada] }      # who may use it; empty = everybody
# folders: { linux: /var/tmp/berth }
# health: { command: "test $(df --output=avail / | tail -1) -gt 2000000", every: 1m, failures: 3 }
`,
  ec2: `# Hosts that are launched on Amazon EC2 when they are asked for, and ended when nobody uses them.
name: linux-ec2
kind: ec2
description: Linux on EC2
region: eu-central-1
# By reference: the SDK's own chain, profile:NAME, or env:PREFIX (PREFIX_ACCESS_KEY_ID, PREFIX_SECRET_ACCESS_KEY).
credentials: default
image: { ami: ami-0123456789abcdef0 }
# image: { name: linux, channel: stable }          # the version of that image that its channel points at
# Tried in this order. The attributes are known before anything is launched, so requests can ask for them.
types:
  - { type: c7i.large, attributes: { cpus: 2, memory: 4GiB } }
  - { type: c7i.xlarge, attributes: { cpus: 4, memory: 8GiB } }
zones:
  - { zone: eu-central-1a, subnet: subnet-0123456789abcdef0 }
markets:
  - { market: spot, maxPrice: "0.12" }
  - { market: on-demand }
securityGroups: [sg-0123456789abcdef0]
keyName: berth
# keyName is what the image lets in; this is the private key to it, on the gateway.
user: ubuntu
credential: file:~/.ssh/berth-ec2
hostKey: console                # learnt from the console output of the instance
address: private
platform: linux
slots: 1
attributes: { os: linux, class: cloud }
# userData: |
#   #!/bin/sh
#   apt-get install -y git
volumes:
  - { device: /dev/sda1, sizeGiB: 40, type: gp3 }
tags: { team: build }
# Who may use it; both empty = everybody.
allow: { projects: [], owners: [] }
# Money is spent below these. More are set for all blueprints with \`berth quota set\`.
limits: { resources: 8, leasesPerOwner: 4 }
timeouts: { boot: 5m, reachable: 5m }
ready:
  command: cloud-init status --wait > /dev/null
  timeout: 10m
pool:
  minIdle: 0
  max: 8
  idleTimeout: 10m
  maxAge: 1d
  maxUses: 50
  schedule:
    - { cron: "0 7 * * 1-5", timezone: Europe/Berlin, minIdle: 2 }
    - { cron: "0 19 * * 1-5", timezone: Europe/Berlin, minIdle: 0 }
`,
  'working-copy': `# Clones on leased hosts. With reuse, a clone stays on its host for the next lease of the same repositories.
name: warm-copy
kind: working-copy
description: working copies that keep their clone
reuse: project                  # never, project (of the same project) or anybody; cleaned in between
keep: 5                         # clones kept on one host; the one that was not used for longest goes first
# The host it leases for itself when the request names none.
host:
  attributes: { os: linux }
  blueprints: []
# allow: { projects: [widgets] }
`,
  service: `# A service that is started on a leased host, and stopped with its lease.
name: postgres
kind: service
description: a PostgreSQL of one's own
on:
  attributes: { os: linux, docker: "*" }
  # workingCopy: { repository: https://example.com/app.git }   # on a working copy instead
port: { from: 20000, to: 20999 }                               # a free one of these; PORT below
env: { PASSWORD: berth }
start: |
  docker run -d --rm --name "berth-$PORT" -e POSTGRES_PASSWORD="$PASSWORD" -p "$PORT:5432" postgres:16
startTimeout: 10m
ready:
  command: docker exec "berth-$PORT" pg_isready -U postgres
  timeout: 1m
stop: docker stop "berth-$PORT"
stopTimeout: 1m
uri: postgres://postgres:berth@{address}:{port}/postgres
`,
  composite: `# Several leases under one name: all of them, or none.
name: integration
kind: composite
description: a host with a working copy, and a database
members:
  host: { type: host, attributes: { os: linux, cpus: ">=4" } }
  # Stands on the lease of another member.
  source: { type: working-copy, on: host, workingCopy: { repository: "https://example.com/app.git", ref: main } }
  database: { type: service, blueprints: [postgres] }
`,
};
