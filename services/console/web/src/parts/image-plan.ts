/** Pure: the image that a plan builds, by its name; undefined of other plans, and of an image whose name had to be cut short. */
export function imageOfPlan(plan: string): string | undefined {
  const name = /^image-(.+)-(?:raw|oci|ec2|mock)-r\d+$/.exec(plan)?.[1];
  return name === undefined || /-[0-9a-f]{8}-[0-9a-f]{4}$/.test(name) ? undefined : name;
}
