import { DescribeImagesCommand, type DescribeImagesCommandInput, type EC2Client, type Filter, type Image } from '@aws-sdk/client-ec2';
import { ForeignAnswer } from './trouble.js';

/** Values are patterns: what stands for itself gets a backslash ("List and filter your resources", User Guide). */
export function filter(name: string, values: readonly string[]): Filter {
  return { Name: name, Values: values.map((value) => value.replace(/[\\*?]/g, '\\$&')) };
}

/** All images that a question finds, page by page. */
export async function images(ec2: EC2Client, input: DescribeImagesCommandInput, signal?: AbortSignal): Promise<Image[]> {
  const all: Image[] = [];
  let next: string | undefined;
  do {
    const page = await ec2.send(new DescribeImagesCommand({ ...input, ...(next !== undefined && { NextToken: next }) }), signal === undefined ? {} : { abortSignal: signal });
    // Something else on the way may answer with status 200; nothing may be concluded from that.
    if (page.Images === undefined) throw new ForeignAnswer('the answer has no list of images');
    all.push(...page.Images);
    next = page.NextToken === '' ? undefined : page.NextToken;
  } while (next !== undefined);
  return all;
}
