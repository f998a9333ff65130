/** What one begins with: accepted as it is, once the secrets that it names are there. */
export const examples = {
  machine: `# How a machine is reached when its operating system is not.
name: mac-7                   # when it is enrolled, under this name
address: 10.0.0.7             # where it answers when it is up
platform: mac                 # linux, mac or windows
workers:                      # of a continuous-integration system, which run on it
  - { id: mac-7-worker, group: releng }
groups: []                    # the first that says something about its ladder, holds
interfaces:                   # any of ssh, ipmi, redfish, pdu, xen, ilo, wake
  ipmi: { address: 10.1.0.7, user: root, password: ipmi-macs }   # the name of a secret, never its value
`,
  group: `# How machines of a group are driven.
name: macs
escalation:                   # how they are rebooted, in this order
  - { method: ssh_reboot, downWithin: 60s, upWithin: 5m }
  - { method: ipmi_cycle }
  - { method: file_ticket }
loanSteps:                    # what a person does, in this order, before a loan is active
  - Take it out of monitoring
mail: []                      # who is told of its jobs, besides who asked for them
`,
} as const;
